# lwIP's source, which nobody ships compiled: its memory and its options are those of one program (transports/dunlin_lwip/lwipopts.h).
# Sets DUNLIN_LWIP_SOURCES, the files that UDP over Ethernet and IPv4 needs, and DUNLIN_LWIP_INCLUDE_DIR.
# DUNLIN_LWIP_ROOT is the folder with src/core in it; of lwIP 2.1 or later.

set(DUNLIN_LWIP_ROOT "$ENV{DUNLIN_LWIP_ROOT}" CACHE PATH "Where lwIP's source is; empty: where run.d/sources.sh puts it")
set(lwip_root "${DUNLIN_LWIP_ROOT}")
if(NOT lwip_root)
    set(lwip_root "${PROJECT_SOURCE_DIR}/build/sources/lwip")
endif()
find_path(DUNLIN_LWIP_INCLUDE_DIR lwip/init.h PATHS "${lwip_root}/src/include" NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(DUNLIN_LWIP_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DunlinLwip
    REQUIRED_VARS DUNLIN_LWIP_INCLUDE_DIR
    REASON_FAILURE_MESSAGE "there is no lwIP source in ${lwip_root}: put it there by `source run.d/packages.sh && source run.d/sources.sh && need_source lwip` in bash, as `./run test` does, or set DUNLIN_LWIP_ROOT to a copy of yours")

if(DunlinLwip_FOUND)
    cmake_path(GET DUNLIN_LWIP_INCLUDE_DIR PARENT_PATH lwip_source)
    set(DUNLIN_LWIP_SOURCES
        core/def.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c core/netif.c core/pbuf.c core/udp.c
        core/ipv4/etharp.c core/ipv4/ip4.c core/ipv4/ip4_addr.c netif/ethernet.c)
    list(TRANSFORM DUNLIN_LWIP_SOURCES PREPEND "${lwip_source}/")
endif()
