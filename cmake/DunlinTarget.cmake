# What every target of Dunlin's own has in common. Nothing here reaches a consumer's targets.

# dunlin_own_target(target): C++20 without extensions, and the house's warnings.
function(dunlin_own_target target)
    set_target_properties(${target} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wno-psabi)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
        target_compile_options(${target} PRIVATE -Wno-restrict)   # wrong about std::string's operator+ (GCC bug 105651)
    endif()
    if(DUNLIN_WARNINGS_AS_ERRORS)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()

# dunlin_simulated_target(target): for what is made of a simulated world. Its counters are 64 bits wide and index its tables, which hold a
# few minutes of one cluster; a machine with 32-bit addresses would have each of these places say so.
function(dunlin_simulated_target target)
    if(CMAKE_SIZEOF_VOID_P EQUAL 4)
        target_compile_options(${target} PRIVATE -Wno-conversion)
    endif()
endfunction()

# dunlin_own_library(target ALIAS name): the same for a library that consumers link as dunlin::<name>.
function(dunlin_own_library target name)
    dunlin_own_target(${target})
    target_compile_features(${target} PUBLIC cxx_std_20)
    add_library(dunlin::${name} ALIAS ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
endfunction()

# dunlin_read_once(target PRIVATE <header> ... | REUSE_FROM other): compiles these headers once for all sources of the target, or takes those of
# another one, which halves what a build takes and more. Only compilers that cross do so, of which ./run boards runs many: the native builds are
# to miss a header that a source forgot.
function(dunlin_read_once target)
    if(NOT CMAKE_CROSSCOMPILING)
        return()
    endif()
    target_precompile_headers(${target} ${ARGN})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -fpch-preprocess)   # for ccache
    endif()
endfunction()
