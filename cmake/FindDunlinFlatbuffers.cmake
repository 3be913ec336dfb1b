# FlatBuffers' headers as the target dunlin::flatbuffers; its library is never linked.
# DUNLIN_FLATBUFFERS_ROOT points at another copy (a folder with include/flatbuffers/ or flatbuffers/ in it).
include("${CMAKE_CURRENT_LIST_DIR}/DunlinHeaders.cmake")

set(DUNLIN_FLATBUFFERS_ROOT "" CACHE PATH "Where FlatBuffers' headers are; empty: the system's")
dunlin_find_headers(DUNLIN_FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h "${DUNLIN_FLATBUFFERS_ROOT}")

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DunlinFlatbuffers
    REQUIRED_VARS DUNLIN_FLATBUFFERS_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "install libflatbuffers-dev or set DUNLIN_FLATBUFFERS_ROOT")

if(DunlinFlatbuffers_FOUND AND NOT TARGET dunlin::flatbuffers)
    dunlin_header_target(dunlin::flatbuffers "${DUNLIN_FLATBUFFERS_INCLUDE_DIR}" flatbuffers)
endif()
