# One set of flags for everything. Warnings are errors.
add_library(steelyard_flags INTERFACE)
target_include_directories(steelyard_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(
  steelyard_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wno-sign-conversion
            -Wimplicit-fallthrough
            -Wnon-virtual-dtor
            -Werror
            -fno-omit-frame-pointer
            -fstack-protector-strong
            -D_GLIBCXX_ASSERTIONS)
target_link_options(steelyard_flags INTERFACE -fuse-ld=lld-19)
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
if(STEELYARD_SANITIZE)
  target_compile_options(steelyard_flags INTERFACE -fsanitize=${STEELYARD_SANITIZE}
                                                   -fno-sanitize-recover=all)
  target_link_options(steelyard_flags INTERFACE -fsanitize=${STEELYARD_SANITIZE})
endif()

# The headers that nearly every file reads, compiled once: for the product, and with GoogleMock for
# tests. Under a sanitizer the tests' own code is not optimised, which halves the time it takes to
# compile; the product's is, so that what is tested is what optimisation makes of it.
set(standard_headers
    <algorithm> <array> <chrono> <cstdint> <expected> <functional> <memory> <optional> <span>
    <string> <string_view> <unordered_map> <utility> <variant> <vector>)
add_library(steelyard_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(steelyard_pch PRIVATE steelyard_flags)
target_precompile_headers(steelyard_pch PRIVATE ${standard_headers})
target_compile_options(steelyard_pch PRIVATE "SHELL:-Xclang -fno-pch-timestamp")

add_library(steelyard_test_flags INTERFACE)
target_link_libraries(steelyard_test_flags INTERFACE steelyard_flags GTest::gmock)
target_compile_options(
  steelyard_test_flags INTERFACE $<$<CONFIG:Debug>:-O0> "SHELL:-Xclang -fno-pch-timestamp")
add_library(steelyard_test_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(steelyard_test_pch PRIVATE steelyard_test_flags)
target_precompile_headers(steelyard_test_pch PRIVATE ${standard_headers} <gmock/gmock.h>
                          <gtest/gtest.h>)
