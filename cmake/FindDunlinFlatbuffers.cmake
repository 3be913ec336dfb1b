# FlatBuffers' headers as the target dunlin::flatbuffers; its library is never linked.
# DUNLIN_FLATBUFFERS_ROOT points at another copy (a folder with include/flatbuffers/ or flatbuffers/ in it).
#
# A cross compiler must never search the build machine's /usr/include, so the headers found there are copied to a
# directory of their own at configure time.

set(DUNLIN_FLATBUFFERS_ROOT "" CACHE PATH "Where FlatBuffers' headers are; empty: the system's")
find_path(DUNLIN_FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h
    HINTS "${DUNLIN_FLATBUFFERS_ROOT}" PATHS /usr /usr/local PATH_SUFFIXES include NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(DUNLIN_FLATBUFFERS_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DunlinFlatbuffers
    REQUIRED_VARS DUNLIN_FLATBUFFERS_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "install libflatbuffers-dev or set DUNLIN_FLATBUFFERS_ROOT")

if(DunlinFlatbuffers_FOUND AND NOT TARGET dunlin::flatbuffers)
    set(include_dir "${DUNLIN_FLATBUFFERS_INCLUDE_DIR}")
    if(CMAKE_CROSSCOMPILING AND NOT DUNLIN_FLATBUFFERS_ROOT)
        file(COPY "${include_dir}/flatbuffers" DESTINATION "${CMAKE_BINARY_DIR}/private_include" FILES_MATCHING PATTERN "*.h")
        set(include_dir "${CMAKE_BINARY_DIR}/private_include")
    endif()
    add_library(dunlin::flatbuffers INTERFACE IMPORTED GLOBAL)
    set_target_properties(dunlin::flatbuffers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${include_dir}")
    unset(include_dir)
endif()
