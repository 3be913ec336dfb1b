# cmake "-DQEMU=qemu-system-arm;option;..." -DIMAGE=x.elf -DEXPECTED=status "-DSAYS=regex;..." -P run_image.cmake
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
