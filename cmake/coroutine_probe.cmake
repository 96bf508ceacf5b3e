# GCC 12 destroys aggregate and lambda temporaries twice in a full expression that contains co_await.
# A compiler that fails this probe would corrupt the data path, so configuring stops here.
set(_probe_result_file ${CMAKE_BINARY_DIR}/coroutine_probe.passed)
if(NOT EXISTS ${_probe_result_file})
  try_run(
    _probe_exit _probe_compiled ${CMAKE_BINARY_DIR}/coroutine_probe
    ${CMAKE_SOURCE_DIR}/cmake/coroutine_probe.cpp
    CMAKE_FLAGS -DCMAKE_CXX_STANDARD=23 -DCMAKE_CXX_STANDARD_REQUIRED=ON
    CXX_STANDARD 23
    COMPILE_OUTPUT_VARIABLE _probe_log)
  if(NOT _probe_compiled)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} cannot compile C++23 coroutines:\n${_probe_log}")
  endif()
  if(NOT _probe_exit EQUAL 0)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} destroys temporaries twice across co_await "
                        "(GCC 12 does). Use clang++-19: cmake --preset release")
  endif()
  file(WRITE ${_probe_result_file} "passed\n")
endif()
