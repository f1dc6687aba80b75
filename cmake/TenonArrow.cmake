# The plugin libtenon_arrow.so, which reads Parquet and Arrow files, where Apache Arrow is found: by the
# PyPI package pyarrow of ${TENON_PYTHON}, which carries the library and its headers.
include(GNUInstallDirs)
configure_file(${CMAKE_CURRENT_LIST_DIR}/arrow_places.h.in ${PROJECT_BINARY_DIR}/generated/tenon/arrow_places.h @ONLY)
set(TENON_ARROW AUTO CACHE STRING "Build the Arrow plugin: AUTO (if Arrow is found), ON or OFF")
set_property(CACHE TENON_ARROW PROPERTY STRINGS AUTO ON OFF)
set(tenon_arrow_python python3)
if(EXISTS ${PROJECT_SOURCE_DIR}/.cache/pyarrow/bin/python)
  set(tenon_arrow_python ${PROJECT_SOURCE_DIR}/.cache/pyarrow/bin/python)
endif()
set(TENON_PYTHON ${tenon_arrow_python} CACHE STRING "The Python interpreter whose pyarrow is used")

set(tenon_arrow_found FALSE)
if(TENON_ARROW)
  execute_process(COMMAND ${TENON_PYTHON} -c
    "import pyarrow; print(pyarrow.get_include(), pyarrow.get_library_dirs()[0], pyarrow.__version__.split('.')[0] + '00', sep='\\n')"
    OUTPUT_VARIABLE tenon_arrow_places OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE tenon_arrow_result ERROR_QUIET)
  if(tenon_arrow_result EQUAL 0)
    string(REPLACE "\n" ";" tenon_arrow_places "${tenon_arrow_places}")
    list(GET tenon_arrow_places 0 tenon_arrow_include)
    list(GET tenon_arrow_places 1 tenon_arrow_libraries)
    list(GET tenon_arrow_places 2 tenon_arrow_version)
    set(tenon_arrow_library ${tenon_arrow_libraries}/libarrow.so.${tenon_arrow_version})
    set(tenon_parquet_library ${tenon_arrow_libraries}/libparquet.so.${tenon_arrow_version})
    if(EXISTS ${tenon_arrow_include}/parquet/arrow/reader.h AND EXISTS ${tenon_arrow_library} AND EXISTS ${tenon_parquet_library})
      set(tenon_arrow_found TRUE)
    endif()
  endif()
endif()

if(tenon_arrow_found)
  # Without the settings of Tenon's own code: Arrow's headers are not held to its warnings, and a
  # sanitizer that the library was not built with must not see its containers.
  add_library(tenon_arrow MODULE ${PROJECT_SOURCE_DIR}/tenon/arrow/plugin.cpp)
  target_compile_features(tenon_arrow PRIVATE cxx_std_20)
  set_target_properties(tenon_arrow PROPERTIES CXX_EXTENSIONS OFF UNITY_BUILD OFF CXX_VISIBILITY_PRESET hidden
    BUILD_RPATH ${tenon_arrow_libraries} INSTALL_RPATH ${tenon_arrow_libraries})
  target_include_directories(tenon_arrow SYSTEM PRIVATE ${tenon_arrow_include})
  target_include_directories(tenon_arrow PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(tenon_arrow PRIVATE ${tenon_arrow_library} ${tenon_parquet_library})
  install(TARGETS tenon_arrow LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
elseif(TENON_ARROW AND NOT TENON_ARROW STREQUAL AUTO)
  message(FATAL_ERROR "TENON_ARROW is ON, but ${TENON_PYTHON} has no pyarrow: ${TENON_PYTHON} -m pip install pyarrow")
endif()
