# make install: library, archive, headers, pkg-config file, CMake package, man page.
include(CMakePackageConfigHelpers)

set(mw_package ${CMAKE_INSTALL_LIBDIR}/cmake/meshwork)
install(TARGETS meshwork EXPORT meshworkTargets DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS meshwork_static EXPORT meshworkStaticTargets DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/meshwork DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
foreach(set meshworkTargets meshworkStaticTargets)
  install(EXPORT ${set} NAMESPACE meshwork:: DESTINATION ${mw_package})
endforeach()

configure_package_config_file(pkgconfig/meshworkConfig.cmake.in meshworkConfig.cmake
  INSTALL_DESTINATION ${mw_package})
write_basic_package_version_file(meshworkConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/meshworkConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/meshworkConfigVersion.cmake
  DESTINATION ${mw_package})

# Two modules, because `pkg-config --static meshwork` lets the linker take the
# shared library where both are installed; meshwork-static names the archive.
# meshwork names the libraries the archive needs and not their modules: those
# would have to be there for who links the shared library, too.
file(RELATIVE_PATH mw_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
foreach(module meshwork meshwork-static)
  configure_file(pkgconfig/${module}.pc.in ${module}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${module}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(FILES examples/meshwork-hub.service DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(EXISTS ${PROJECT_SOURCE_DIR}/bindings/cli/meshwork.1)
  install(FILES bindings/cli/meshwork.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()

# Debug information goes to a file of its own beside the library, found by
# debuggers through the link left in it.
if(CMAKE_OBJCOPY AND MW_SANITIZE STREQUAL none)
  install(CODE "
    set(lib \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}\")
    execute_process(COMMAND ${CMAKE_OBJCOPY} --only-keep-debug libmeshwork.so.1 libmeshwork.so.1.debug
      WORKING_DIRECTORY \"\${lib}\" COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_OBJCOPY} --strip-debug --add-gnu-debuglink=libmeshwork.so.1.debug libmeshwork.so.1
      WORKING_DIRECTORY \"\${lib}\" COMMAND_ERROR_IS_FATAL ANY)")
endif()
