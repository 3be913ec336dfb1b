# cmake "-DQEMU=qemu-system-arm;option;..." -DIMAGE=x.elf -DEXPECTED=status "-DSAYS=regex;..." -DSTACK_MAX=bytes -P run_image.cmake
execute_process(
    COMMAND ${QEMU} -kernel "${IMAGE}" -display none -monitor none -serial stdio
    INPUT_FILE /dev/null
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output
    RESULT_VARIABLE status)
message(STATUS "${output}")
if(NOT status STREQUAL EXPECTED)
    message(FATAL_ERROR "${IMAGE} ended with status ${status}, expected ${EXPECTED}")
endif()
foreach(regex IN LISTS SAYS)
    if(NOT output MATCHES "${regex}")
        message(FATAL_ERROR "${IMAGE} does not say '${regex}'")
    endif()
endforeach()
if(STACK_MAX)
    if(NOT output MATCHES "stack: used ([0-9]+) of")
        message(FATAL_ERROR "${IMAGE} does not say how much stack it has used")
    endif()
    if(CMAKE_MATCH_1 GREATER STACK_MAX)
        message(FATAL_ERROR "${IMAGE} has used ${CMAKE_MATCH_1} bytes of stack; the limit is ${STACK_MAX}")
    endif()
endif()
