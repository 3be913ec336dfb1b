# 64-bit ARM Linux.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(DUNLIN_TRIPLET aarch64-linux-gnu)
set(DUNLIN_QEMU qemu-aarch64-static)
include("${CMAKE_CURRENT_LIST_DIR}/debian-linux.cmake")
