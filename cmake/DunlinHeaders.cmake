# Packages of which only headers are used. A cross compiler must never search the build machine's /usr/include; so for one the
# headers that were found are copied, at configure time, to a directory that holds nothing else.

# dunlin_find_headers(variable header root): the directory from which `header` can be included, in the cache as `variable`.
# Looks in `root` first, then where this machine keeps headers, whatever machine is built for.
function(dunlin_find_headers variable header root)
    find_path(${variable} "${header}"
        HINTS "${root}" PATHS /usr /usr/local PATH_SUFFIXES include NO_CMAKE_FIND_ROOT_PATH)
    mark_as_advanced(${variable})
endfunction()

# dunlin_header_target(target directory entry...): an imported target for the headers `entry...`, files and folders of `directory`.
function(dunlin_header_target target directory)
    if(CMAKE_CROSSCOMPILING)
        string(MAKE_C_IDENTIFIER "${target}" folder)
        set(private "${CMAKE_BINARY_DIR}/private_include/${folder}")
        list(TRANSFORM ARGN PREPEND "${directory}/" OUTPUT_VARIABLE entries)
        file(COPY ${entries} DESTINATION "${private}")
        set(directory "${private}")
    endif()
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${directory}")
endfunction()
