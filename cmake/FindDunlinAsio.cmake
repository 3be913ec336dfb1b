# Standalone ASIO (headers only, no Boost) as the target dunlin::asio_headers.
# DUNLIN_ASIO_ROOT points at another copy (a folder with include/asio.hpp or asio.hpp in it).

set(DUNLIN_ASIO_ROOT "" CACHE PATH "Where ASIO's headers are; empty: the system's")
find_path(DUNLIN_ASIO_INCLUDE_DIR asio.hpp HINTS "${DUNLIN_ASIO_ROOT}" PATH_SUFFIXES include)
mark_as_advanced(DUNLIN_ASIO_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DunlinAsio
    REQUIRED_VARS DUNLIN_ASIO_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "install libasio-dev or set DUNLIN_ASIO_ROOT")

if(DunlinAsio_FOUND AND NOT TARGET dunlin::asio_headers)
    add_library(dunlin::asio_headers INTERFACE IMPORTED GLOBAL)
    set_target_properties(dunlin::asio_headers PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${DUNLIN_ASIO_INCLUDE_DIR}"
        INTERFACE_COMPILE_DEFINITIONS ASIO_STANDALONE)
endif()
