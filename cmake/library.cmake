# The shared and the static library, from the same objects.
set(mw_map ${PROJECT_SOURCE_DIR}/lib/abi/meshwork.map)

foreach(target meshwork meshwork_static)
  if(target STREQUAL meshwork)
    add_library(meshwork SHARED)
  else()
    add_library(meshwork_static STATIC)
  endif()
  add_library(meshwork::${target} ALIAS ${target})
  foreach(room ${mw_present})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${room}>)
  endforeach()
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME meshwork)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:mw_flags>
    OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB Threads::Threads
    $<BUILD_INTERFACE:PkgConfig::CJSON> $<BUILD_INTERFACE:PkgConfig::CARES>
    $<BUILD_INTERFACE:PkgConfig::RE2>)
endforeach()
# What a C program must add when it links the archive (pkg-config and the
# CMake package name the same).
target_link_libraries(meshwork_static PUBLIC $<INSTALL_INTERFACE:cjson> $<INSTALL_INTERFACE:cares> $<INSTALL_INTERFACE:re2> stdc++ m)

# The SONAME is fixed for ever; what is added comes with a new node of the map.
set_target_properties(meshwork PROPERTIES VERSION 1 SOVERSION 1 LINK_DEPENDS ${mw_map})
target_link_options(meshwork PRIVATE
  -Wl,--version-script=${mw_map}
  -Wl,-z,nodelete   # dlclose unmaps nothing that a thread might still run
  -Wl,-z,now,-z,relro
  -Wl,--exclude-libs,ALL)
if(MW_SANITIZE STREQUAL none)
  target_link_options(meshwork PRIVATE -Wl,--no-undefined)
endif()
