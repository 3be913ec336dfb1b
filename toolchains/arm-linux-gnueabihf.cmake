# 32-bit ARM Linux: Armv7-A, arguments in floating-point registers.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(DUNLIN_TRIPLET arm-linux-gnueabihf)
set(DUNLIN_QEMU qemu-arm-static)
include("${CMAKE_CURRENT_LIST_DIR}/debian-linux.cmake")
