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

# The standard headers that nearly every file reads, compiled once.
add_library(steelyard_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(steelyard_pch PRIVATE steelyard_flags)
target_precompile_headers(
  steelyard_pch PRIVATE <algorithm> <array> <chrono> <cstdint> <expected> <functional> <memory>
  <optional> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>)
target_compile_options(steelyard_pch PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
