# What toolchains/*-linux-gnu*.cmake share: Linux on another processor, with Debian's cross compiler (package g++-TRIPLET) and the libraries
# that come with it; DUNLIN_SYSROOT names another tree that holds the target's. Included with DUNLIN_TRIPLET and DUNLIN_QEMU set.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER "${DUNLIN_TRIPLET}-gcc")
set(CMAKE_CXX_COMPILER "${DUNLIN_TRIPLET}-g++")
set(DUNLIN_SYSROOT "/usr/${DUNLIN_TRIPLET}" CACHE PATH "The target's root: its loader and libraries are in lib/")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DUNLIN_SYSROOT)

# Nothing of the build machine's is ever taken for the target's.
set(CMAKE_FIND_ROOT_PATH "${DUNLIN_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# ctest runs the target's programs under QEMU (package qemu-user-static), with the real sockets of this machine.
find_program(DUNLIN_QEMU_USER "${DUNLIN_QEMU}")
if(DUNLIN_QEMU_USER)
    set(CMAKE_CROSSCOMPILING_EMULATOR "${DUNLIN_QEMU_USER}" -L "${DUNLIN_SYSROOT}")
endif()
