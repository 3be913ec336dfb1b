#ifndef DUNLIN_LWIP_LWIPOPTS_H
#define DUNLIN_LWIP_LWIPOPTS_H

/*
 * lwIP as a node on a board needs it: one thread, one Ethernet interface with a static IPv4 address, and UDP.
 *
 * How much memory it has is said by three numbers, which CMakeLists.txt passes.
 */

/* Packets to send: the one that is being written, and room for those that wait until an address is known (shorter ones share it). */
#ifndef DUNLIN_LWIP_SEND_PACKETS
#error "DUNLIN_LWIP_SEND_PACKETS, 2 or more"
#endif
/* Received frames: the one that is being read, since nothing keeps one for longer. */
#ifndef DUNLIN_LWIP_RECEIVE_FRAMES
#error "DUNLIN_LWIP_RECEIVE_FRAMES, 1 or more"
#endif
/* Addresses in the own network whose Ethernet address is remembered; one that is not costs a round trip. */
#ifndef DUNLIN_LWIP_NEIGHBOURS
#error "DUNLIN_LWIP_NEIGHBOURS, 8 to 127"
#endif

/* No operating system. Time is passed in (ethernet.hpp). */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0

/* A frame of 1,514 bytes, with two in front of it: then what follows its 14-byte header is aligned. */
#define ETH_PAD_SIZE 2
#define PBUF_POOL_BUFSIZE 1516
#define PBUF_POOL_SIZE DUNLIN_LWIP_RECEIVE_FRAMES
#define MEMP_NUM_PBUF 0 /* nothing is sent from memory that is not lwIP's own */

/* Of its own array. The packet that is being written stays there; what waits for an address is a copy as long as it is (udp.cpp), and no other. */
#define PBUF_NEEDS_COPY(packet) 0
#define MEM_LIBC_MALLOC 0
#define MEMP_MEM_MALLOC 0
#define MEM_ALIGNMENT __SIZEOF_POINTER__
#define MEM_SIZE (DUNLIN_LWIP_SEND_PACKETS * 1600)

#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define IP_FORWARD 0
#define IP_OPTIONS_ALLOWED 0
#define LWIP_ARP 1
#define ARP_TABLE_SIZE DUNLIN_LWIP_NEIGHBOURS
#define ARP_QUEUEING 0 /* the last packet to an address waits until that is known; those before it are lost */
/* No ping is answered. lwIP answers in the frame that the ping came in, and keeps that for seconds where the pinger's Ethernet address
   is not known: a ping or two from hosts that are new, or that do not exist, and the board hears nothing else meanwhile. */
#define LWIP_ICMP 0
#define LWIP_RAW 0
#define LWIP_TCP 0
#define LWIP_UDP 1
#define MEMP_NUM_UDP_PCB 1
#define LWIP_DHCP 0
#define LWIP_AUTOIP 0
#define LWIP_DNS 0
#define LWIP_IGMP 0

#define LWIP_SINGLE_NETIF 1
#define LWIP_NETIF_LOOPBACK 0
#define LWIP_HAVE_LOOPIF 0
#define LWIP_NETIF_TX_SINGLE_PBUF 1
#define LWIP_STATS 0

#endif
