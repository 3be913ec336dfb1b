# Bare-metal Arm Cortex-M with Debian's gcc-arm-none-eabi and newlib. DUNLIN_CPU names the core.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(DUNLIN_CPU cortex-m3 CACHE STRING "The core: cortex-m3, cortex-m4 or cortex-m7; floating-point units are left alone")
set_property(CACHE DUNLIN_CPU PROPERTY STRINGS cortex-m3 cortex-m4 cortex-m7)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DUNLIN_CPU)

# The emulated machine that has this core.
set(machine_of_cortex-m3 mps2-an385)
set(machine_of_cortex-m4 mps2-an386)
set(machine_of_cortex-m7 mps2-an500)
if(NOT DEFINED "machine_of_${DUNLIN_CPU}")
    message(FATAL_ERROR "DUNLIN_CPU is '${DUNLIN_CPU}'; it must be cortex-m3, cortex-m4 or cortex-m7.")
endif()

set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_C_FLAGS_INIT "-mcpu=${DUNLIN_CPU} -mthumb")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
# Lines alone: what tests/boards/sizes.py sums text by. No byte of an image changes.
set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-g1")
set(CMAKE_CXX_FLAGS_MINSIZEREL_INIT "-g1")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)   # nothing links without a board's start-up code

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# ctest runs the target's programs under QEMU (package qemu-system-arm), which must be told of their arguments in its own way.
find_program(DUNLIN_QEMU_ARM qemu-system-arm)
find_program(DUNLIN_PYTHON python3)
if(DUNLIN_QEMU_ARM AND DUNLIN_PYTHON)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${DUNLIN_PYTHON}" -B "${CMAKE_CURRENT_LIST_DIR}/run_on_cortex_m.py"
        "${DUNLIN_QEMU_ARM}" "${machine_of_${DUNLIN_CPU}}")
endif()
