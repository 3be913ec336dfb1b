#ifndef DUNLIN_LWIP_ARCH_CC_H
#define DUNLIN_LWIP_ARCH_CC_H

/* What lwIP asks of the compiler and the platform. It prints nothing, and its assertions are Dunlin's (stack_assertion.cpp). */

#include <sys/types.h> /* ssize_t */

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_CTYPE_H 1
#ifndef SSIZE_MAX
#define SSIZE_MAX INT_MAX /* or lwIP makes an ssize_t of its own */
#endif

#ifdef __cplusplus
extern "C"
#endif
    __attribute__((noreturn, cold)) void dunlin_lwip_assertion_failed(void);

#define LWIP_PLATFORM_DIAG(message) \
    do {                            \
    } while (0)
#define LWIP_PLATFORM_ASSERT(message) dunlin_lwip_assertion_failed()

#endif
