# Unit tests for another machine than this: whole programs under its emulator, their tests counted (count_tests.py), which takes a
# fraction of what one start a sentence would. What bare metal cannot do is named in left_out.txt.
if(NOT CMAKE_CROSSCOMPILING_EMULATOR)
    message(FATAL_ERROR "Unit tests for ${CMAKE_SYSTEM_PROCESSOR} need its emulator: install qemu-user-static (Linux) or qemu-system-arm (bare metal), "
        "or set CMAKE_CROSSCOMPILING_EMULATOR; or set DUNLIN_UNIT_TESTS to OFF.")
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(DUNLIN_LEFT_OUT "${CMAKE_CURRENT_LIST_DIR}/left_out.txt")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${DUNLIN_LEFT_OUT}")
file(STRINGS "${DUNLIN_LEFT_OUT}" DUNLIN_LEFT_OUT_SOURCES REGEX "^[^# ]+\\.cpp ")
list(TRANSFORM DUNLIN_LEFT_OUT_SOURCES REPLACE " .*" "")

if(NOT DUNLIN_HOSTED)
    add_library(dunlin_test_startup OBJECT target/startup.cpp)
    dunlin_own_target(dunlin_test_startup)
    target_link_libraries(dunlin_test_startup PRIVATE dunlin::runtime)
    set(psram_of_cortex-m3 0x21000000)
    set(psram_of_cortex-m4 0x21000000)
    set(psram_of_cortex-m7 0x60000000)
    set(DUNLIN_TEST_LINKER_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/cortex_m.ld")
endif()

# dunlin_bare_metal_test(name): what a program needs to run without an operating system.
function(dunlin_bare_metal_test name)
    target_link_libraries(${name} PRIVATE dunlin_test_startup)
    target_compile_options(${name} PRIVATE -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections)
    target_link_options(${name} PRIVATE -nostartfiles -specs=rdimon.specs "-T${DUNLIN_TEST_LINKER_SCRIPT}"
        "-Wl,--defsym=psram_begin=${psram_of_${DUNLIN_CPU}}" -Wl,--gc-sections)
    set_target_properties(${name} PROPERTIES LINK_DEPENDS "${DUNLIN_TEST_LINKER_SCRIPT}")
endfunction()

# dunlin_add_counted_test(name): the program `name`, whose sources are already given, as one ctest.
function(dunlin_add_counted_test name)
    set(left_out "")
    if(NOT DUNLIN_HOSTED)
        dunlin_bare_metal_test(${name})
        set(left_out --left-out "${DUNLIN_LEFT_OUT}")
        get_target_property(sources ${name} SOURCES)
        foreach(source IN LISTS DUNLIN_LEFT_OUT_SOURCES)
            cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/tests" OUTPUT_VARIABLE folder)
            cmake_path(GET source PARENT_PATH source_folder)
            cmake_path(GET source FILENAME file)
            if(source_folder STREQUAL folder AND file IN_LIST sources)
                list(REMOVE_ITEM sources "${file}")
                list(APPEND left_out --not-built "${source}")
            endif()
        endforeach()
        set_target_properties(${name} PROPERTIES SOURCES "${sources}")
    endif()
    add_test(NAME ${name}
        COMMAND Python3::Interpreter -B "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/count_tests.py" ${left_out}
            --count "${PROJECT_BINARY_DIR}/counted/${name}" -- ${CMAKE_CROSSCOMPILING_EMULATOR} "$<TARGET_FILE:${name}>")
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
    if(DUNLIN_RUNTIME_TESTS)
        dunlin_build_fast(${name})
        set_tests_properties(${name} PROPERTIES LABELS runtime)
        set_property(GLOBAL APPEND PROPERTY DUNLIN_COUNTED_TESTS ${name})
    endif()
endfunction()

# dunlin_build_fast(name): halves what it takes to compile the tests, of which every target compiles all. The runtime stays as it is shipped;
# the tests around it are optimised little, and read what nearly all of them include only once.
function(dunlin_build_fast name)
    target_compile_options(${name} PRIVATE -Og)
    get_property(tests GLOBAL PROPERTY DUNLIN_COUNTED_TESTS)
    if(tests)
        list(GET tests 0 first)
        dunlin_read_once(${name} REUSE_FROM ${first})
    else()
        dunlin_read_once(${name} PRIVATE
            <gmock/gmock.h> <gtest/gtest.h>
            <algorithm> <array> <deque> <functional> <iostream> <map> <memory> <optional> <set> <sstream> <string> <vector>
            <dunlin/node/node_memory.hpp> <dunlin/node/voter.hpp>)
    endif()
endfunction()

# dunlin_list_counted_tests(): the target that builds the tests of the runtime, and the list of them for report.py.
function(dunlin_list_counted_tests)
    get_property(tests GLOBAL PROPERTY DUNLIN_COUNTED_TESTS)
    add_custom_target(dunlin_runtime_tests DEPENDS ${tests})
    list(JOIN tests "\n" lines)
    file(WRITE "${PROJECT_BINARY_DIR}/counted_programs.txt" "${lines}\n")
endfunction()
