# cmake -DQEMU=qemu-system-arm -DIMAGE=x.elf -DEXPECTED=status -P run_image.cmake
execute_process(
    COMMAND "${QEMU}" -M mps2-an385 -kernel "${IMAGE}" -display none -monitor none -serial stdio
        -semihosting-config enable=on,target=native
    INPUT_FILE /dev/null
    RESULT_VARIABLE status)
if(NOT status STREQUAL EXPECTED)
    message(FATAL_ERROR "${IMAGE} ended with status ${status}, expected ${EXPECTED}")
endif()
