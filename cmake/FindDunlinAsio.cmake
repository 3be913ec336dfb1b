# Standalone ASIO (headers only, no Boost) as the target dunlin::asio_headers.
# DUNLIN_ASIO_ROOT points at another copy (a folder with include/asio.hpp or asio.hpp in it).
include("${CMAKE_CURRENT_LIST_DIR}/DunlinHeaders.cmake")

set(DUNLIN_ASIO_ROOT "" CACHE PATH "Where ASIO's headers are; empty: the system's")
dunlin_find_headers(DUNLIN_ASIO_INCLUDE_DIR asio.hpp "${DUNLIN_ASIO_ROOT}")

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DunlinAsio
    REQUIRED_VARS DUNLIN_ASIO_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "install libasio-dev or set DUNLIN_ASIO_ROOT")

if(DunlinAsio_FOUND AND NOT TARGET dunlin::asio_headers)
    dunlin_header_target(dunlin::asio_headers "${DUNLIN_ASIO_INCLUDE_DIR}" asio asio.hpp)
    set_target_properties(dunlin::asio_headers PROPERTIES INTERFACE_COMPILE_DEFINITIONS ASIO_STANDALONE)
endif()
