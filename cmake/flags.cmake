# How everything of ours is compiled: mw_flags is linked by every target here
# and reaches no user of the library.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON)  # POSIX in the tests and examples
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(MW_CCACHE ccache)
  if(MW_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${MW_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${MW_CCACHE})
  endif()
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

add_library(mw_flags INTERFACE)
target_include_directories(mw_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
# Frame pointers: profilers and crash handlers of the host see through us.
target_compile_options(mw_flags INTERFACE
  -Wall -Wextra -fno-omit-frame-pointer
  $<$<COMPILE_LANGUAGE:CXX>:-Wshadow=local>
  $<$<BOOL:${MW_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  target_compile_options(mw_flags INTERFACE -Wno-unknown-warning-option)
endif()
# GCC 12 sees overlapping copies in every "text" + std::string (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(mw_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()

if(MW_SANITIZE STREQUAL address)
  # Without vptr: it asks the kernel through a pipe and takes the lack of
  # descriptors, which some tests make, for a bad object.
  set(mw_sanitizer -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined)
elseif(MW_SANITIZE STREQUAL thread)
  set(mw_sanitizer -fsanitize=thread)
elseif(NOT MW_SANITIZE STREQUAL none)
  message(FATAL_ERROR "MW_SANITIZE is none, address or thread, not ${MW_SANITIZE}")
endif()
if(MW_FUZZ)
  set(mw_sanitizer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
endif()
if(mw_sanitizer)
  target_compile_options(mw_flags INTERFACE ${mw_sanitizer} -O1 -g1 -UNDEBUG)
  target_link_options(mw_flags INTERFACE ${mw_sanitizer})
  if(MW_SANITIZE STREQUAL thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # Fences are seen by their atomics only; the code that uses them says so.
    target_compile_options(mw_flags INTERFACE -Wno-tsan)
  endif()
endif()
