# Bare-metal Arm Cortex-M with Debian's gcc-arm-none-eabi and newlib. DUNLIN_CPU names the core.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(DUNLIN_CPU cortex-m3 CACHE STRING "The -mcpu of the target")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DUNLIN_CPU)

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
