# The one library users link: Tenon::tenon, with its install and package files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(objects "")
foreach(folder IN LISTS TENON_FOLDERS)
  list(APPEND objects $<TARGET_OBJECTS:tenon_${folder}>)
endforeach()
add_library(tenon STATIC ${objects})
add_library(Tenon::tenon ALIAS tenon)
target_compile_features(tenon PUBLIC cxx_std_20)
target_include_directories(tenon PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(tenon
  PUBLIC fmt::fmt Threads::Threads nlohmann_json::nlohmann_json
  PRIVATE ZLIB::ZLIB PNG::PNG JPEG::JPEG PCRE2::8bit Utf8proc::utf8proc ${CMAKE_DL_LIBS})
if(CMAKE_SYSTEM_NAME STREQUAL Linux)
  # By which a program tells the plans of its own build from those of others (backends/cpu/build_id.h).
  foreach(target tenon tenon_backends)
    target_link_options(${target} PUBLIC LINKER:--build-id)
  endforeach()
endif()
if(TENON_SANITIZE)
  target_link_options(tenon PUBLIC -fsanitize=${TENON_SANITIZE})
endif()

install(TARGETS tenon EXPORT TenonTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY tenon DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
install(FILES ${PROJECT_BINARY_DIR}/generated/tenon/version.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tenon)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/tenon)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Tenon)
install(EXPORT TenonTargets NAMESPACE Tenon:: DESTINATION ${package_folder})
configure_package_config_file(cmake/TenonConfig.cmake.in ${PROJECT_BINARY_DIR}/TenonConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TenonConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TenonConfig.cmake ${PROJECT_BINARY_DIR}/TenonConfigVersion.cmake
  cmake/FindPCRE2.cmake cmake/FindUtf8proc.cmake
  DESTINATION ${package_folder})
