# What a board's folder, and whoever makes images for it, say in CMake.

set(DUNLIN_ARGUMENTS "" CACHE STRING "Words that images on a board are started with (key=value ...) where no semihosting host gives any")
set(DUNLIN_FLASH_IMAGE self_test CACHE STRING "The image that target flash-<board> puts on the board")

# dunlin_cortex_m_board(SOURCES a.cpp ... MEMORY memory.ld OPENOCD openocd.cfg
#                       [QEMU option ...] [QEMU_STORAGE option ...] [SELF_TEST word ...] [WITHOUT image ...])
# Makes the target dunlin_board: what this board defines for dunlin_lwip/port.hpp and cortex_m/hardware.hpp, with what all Cortex-M
# boards share. The folder it is called in has a memory_map.hpp.
#   MEMORY        linker script: the regions FLASH and RAM, the symbol stack_bytes, and INCLUDE sections.ld
#   OPENOCD       defines the procedure `flash_image FILE`, which puts an .elf on the board and starts it
#   QEMU          options of qemu-system-arm that emulate the board
#   QEMU_STORAGE  and those that keep its storage in the file @FILE@
#   SELF_TEST     arguments of the self-test on it (images/self_test/checks.hpp)
#   WITHOUT       images that do not fit it: neither made nor tested
function(dunlin_cortex_m_board)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "MEMORY;OPENOCD" "SOURCES;QEMU;QEMU_STORAGE;SELF_TEST;WITHOUT")
    set(cortex_m "${PROJECT_SOURCE_DIR}/boards/cortex_m")
    add_library(dunlin_board OBJECT ${arg_SOURCES}
        ${cortex_m}/arguments.cpp ${cortex_m}/ending.cpp ${cortex_m}/entropy.cpp ${cortex_m}/faults.cpp ${cortex_m}/print.cpp
        ${cortex_m}/semihosting.cpp ${cortex_m}/stack.cpp ${cortex_m}/startup.cpp)
    dunlin_own_target(dunlin_board)
    # It calls main() with arguments, which an image may leave out: by the rules of C, not by those of an optimiser that sees both.
    set_source_files_properties(${cortex_m}/startup.cpp TARGET_DIRECTORY dunlin_board PROPERTIES COMPILE_OPTIONS -fno-lto)
    target_compile_options(dunlin_board PRIVATE -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffreestanding -ffunction-sections -fdata-sections)
    target_compile_definitions(dunlin_board PRIVATE "DUNLIN_ARGUMENTS=\"${DUNLIN_ARGUMENTS}\"")
    target_include_directories(dunlin_board PUBLIC "${PROJECT_SOURCE_DIR}/boards" "${CMAKE_CURRENT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/transports")
    target_link_libraries(dunlin_board PUBLIC dunlin::runtime)
    set_property(GLOBAL PROPERTY DUNLIN_BOARD_MEMORY "${arg_MEMORY}")
    set_property(GLOBAL PROPERTY DUNLIN_BOARD_OPENOCD "${arg_OPENOCD}")
    set_property(GLOBAL PROPERTY DUNLIN_BOARD_QEMU "${arg_QEMU}")
    set_property(GLOBAL PROPERTY DUNLIN_BOARD_QEMU_STORAGE "${arg_QEMU_STORAGE}")
    set_property(GLOBAL PROPERTY DUNLIN_BOARD_SELF_TEST "${arg_SELF_TEST}")
    set_property(GLOBAL PROPERTY DUNLIN_BOARD_WITHOUT "${arg_WITHOUT}")
endfunction()

# dunlin_image(name SOURCES a.cpp ... [LIBRARIES dunlin::lwip ...])
# A program for the board: <name>.elf, .bin, .hex and .map, and a target flash-<board>-<name>. No start-up files, no libstdc++, no _sbrk and
# no operator new: whatever needs one of them fails to link, with its name.
function(dunlin_image name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
    get_property(without GLOBAL PROPERTY DUNLIN_BOARD_WITHOUT)
    if(name IN_LIST without)
        return()
    endif()
    get_property(script GLOBAL PROPERTY DUNLIN_BOARD_MEMORY)
    set(cortex_m "${PROJECT_SOURCE_DIR}/boards/cortex_m")
    add_executable(${name} ${arg_SOURCES})
    dunlin_own_target(${name})
    set_target_properties(${name} PROPERTIES SUFFIX .elf LINK_DEPENDS "${script};${cortex_m}/sections.ld")
    target_compile_options(${name} PRIVATE -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections -fdata-sections)
    target_link_options(${name} PRIVATE
        -nostdlib "-T${script}" "-L${cortex_m}" -Wl,--gc-sections -Wl,--fatal-warnings "-Wl,-Map=$<TARGET_FILE_DIR:${name}>/${name}.map")
    target_link_libraries(${name} PRIVATE dunlin_board ${arg_LIBRARIES} dunlin::runtime -lc_nano -lgcc)
    # The optimiser of the whole program knows every frame and call: boards/stack_bound.py reads what it says of them.
    set(stack "${CMAKE_CURRENT_BINARY_DIR}/${name}.stack")
    target_link_options(${name} PRIVATE -fcallgraph-info=su "SHELL:-dumpdir ${stack}/")
    if(DUNLIN_SMALL_FLASH)
        target_link_options(${name} PRIVATE -flto-partition=one)   # in one piece: slower, and some hundred bytes shorter
    endif()
    add_custom_command(TARGET ${name} PRE_LINK
        COMMAND "${CMAKE_COMMAND}" -E rm -rf "${stack}" COMMAND "${CMAKE_COMMAND}" -E make_directory "${stack}" VERBATIM)
    add_custom_command(TARGET ${name} POST_BUILD
        COMMAND "${CMAKE_OBJCOPY}" -O binary "$<TARGET_FILE:${name}>" "$<TARGET_FILE_DIR:${name}>/${name}.bin"
        COMMAND "${CMAKE_OBJCOPY}" -O ihex "$<TARGET_FILE:${name}>" "$<TARGET_FILE_DIR:${name}>/${name}.hex"
        BYPRODUCTS ${name}.bin ${name}.hex ${name}.map VERBATIM)
    set_property(GLOBAL APPEND PROPERTY DUNLIN_IMAGES ${name})   # tests/heap examines every one

    get_property(openocd GLOBAL PROPERTY DUNLIN_BOARD_OPENOCD)
    add_custom_target(flash-${DUNLIN_BOARD}-${name}
        COMMAND "${CMAKE_COMMAND}" "-DCONFIGURATION=${openocd}" "-DIMAGE=$<TARGET_FILE:${name}>" -P "${PROJECT_SOURCE_DIR}/boards/flash_image.cmake"
        USES_TERMINAL VERBATIM)
    add_dependencies(flash-${DUNLIN_BOARD}-${name} ${name})
    if(name STREQUAL DUNLIN_FLASH_IMAGE)
        add_custom_target(flash-${DUNLIN_BOARD} DEPENDS flash-${DUNLIN_BOARD}-${name})
    endif()
endfunction()

# dunlin_image_test(name image EXIT status [ARGUMENTS word ...] [QEMU option ...] [SAYS regex ...] [STACK_MAX bytes] [STORAGE file]
#                   [TIMEOUT seconds] [NO_HOST])
# Runs the image under QEMU and expects that exit status, each of these in what it prints, and at most so much stack where it says how much
# it has used. Words and regexes are without spaces and semicolons (a regex says `.` there). NO_HOST: without semihosting, where the first
# reset ends the emulator with status 0.
find_program(DUNLIN_QEMU_ARM qemu-system-arm)
function(dunlin_image_test name image)
    cmake_parse_arguments(PARSE_ARGV 2 arg "NO_HOST" "EXIT;STACK_MAX;STORAGE;TIMEOUT" "ARGUMENTS;QEMU;SAYS")
    if(NOT TARGET ${image})
        return()   # the board is without it
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    get_property(machine GLOBAL PROPERTY DUNLIN_BOARD_QEMU)
    list(APPEND machine ${arg_QEMU})
    if(arg_STORAGE)
        get_property(storage GLOBAL PROPERTY DUNLIN_BOARD_QEMU_STORAGE)
        string(REPLACE "@FILE@" "${arg_STORAGE}" storage "${storage}")
        list(APPEND machine ${storage})
    endif()
    if(arg_NO_HOST)
        list(APPEND machine -no-reboot)
    else()
        list(TRANSFORM arg_ARGUMENTS PREPEND ",arg=" OUTPUT_VARIABLE words)
        list(JOIN words "" words)
        list(APPEND machine -semihosting-config "enable=on,target=native,arg=${image}${words}")
    endif()
    add_test(NAME ${DUNLIN_BOARD}.${name}
        COMMAND "${CMAKE_COMMAND}" "-DQEMU=${DUNLIN_QEMU_ARM};${machine}" "-DIMAGE=$<TARGET_FILE:${image}>" "-DEXPECTED=${arg_EXIT}"
            "-DSAYS=${arg_SAYS}" "-DSTACK_MAX=${arg_STACK_MAX}" -P "${PROJECT_SOURCE_DIR}/boards/run_image.cmake")
    set_tests_properties(${DUNLIN_BOARD}.${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()

# dunlin_stack_test(image bytes): what its functions and calls need of the stack is at most that, whatever a run uses.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
function(dunlin_stack_test image bytes)
    if(NOT TARGET ${image})
        return()   # the board is without it
    endif()
    add_test(NAME ${DUNLIN_BOARD}.${image}_has_a_bound_of_its_stack
        COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/boards/stack_bound.py" "$<TARGET_FILE_DIR:${image}>/${image}.stack" ${bytes})
endfunction()
