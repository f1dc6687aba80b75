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
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(tenon PUBLIC fmt::fmt Threads::Threads ZLIB::ZLIB PRIVATE PNG::PNG ${CMAKE_DL_LIBS})
if(TENON_SANITIZE)
  target_link_options(tenon PUBLIC -fsanitize=${TENON_SANITIZE})
endif()
