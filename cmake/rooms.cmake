# One object library a room: mw_base, mw_wire, ... A room sees only itself and
# the rooms left of it; tests/abi/layers.py checks the includes.
set(MW_ROOMS base wire loop net local link mesh abi)

find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)

add_library(mw_lib INTERFACE)
target_include_directories(mw_lib INTERFACE ${PROJECT_SOURCE_DIR}/lib)
target_compile_options(mw_lib INTERFACE -fvisibility=hidden -fvisibility-inlines-hidden)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Unique symbols would tie two copies of the library in one process together.
  target_compile_options(mw_lib INTERFACE -fno-gnu-unique)
endif()
target_link_libraries(mw_lib INTERFACE mw_flags Threads::Threads
  OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB PkgConfig::CJSON PkgConfig::CARES PkgConfig::RE2)

# Boost is compiled once, in the net room, which is the only one that sees it.
add_library(mw_boost INTERFACE)
target_link_libraries(mw_boost INTERFACE Boost::headers)
target_compile_definitions(mw_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Asio's coroutine frames come from aligned_alloc and go by free; g++ 12 sees one half.
  target_compile_options(mw_boost INTERFACE -Wno-mismatched-new-delete)
endif()

set(mw_present "")
foreach(room ${MW_ROOMS})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/${room}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/lib/mesh/core/")
  if(sources)
    add_library(mw_${room} OBJECT ${sources})
    target_link_libraries(mw_${room} PUBLIC mw_lib)
    list(APPEND mw_present mw_${room})
  endif()
endforeach()
# The mesh's machines do no I/O and see only base and wire; alone for their
# tests and the simulation.
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/mesh/core/*.cpp)
add_library(mw_mesh_core OBJECT ${sources})
target_link_libraries(mw_mesh_core PUBLIC mw_lib)
list(APPEND mw_present mw_mesh_core)
if(TARGET mw_net)
  target_link_libraries(mw_net PUBLIC mw_boost)
endif()
