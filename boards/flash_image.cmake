# cmake -DCONFIGURATION=openocd.cfg -DIMAGE=x.elf -P flash_image.cmake
find_program(OPENOCD openocd)
if(NOT OPENOCD)
    message(FATAL_ERROR "openocd is not installed (Debian: apt-get install openocd); nothing was flashed")
endif()
execute_process(COMMAND "${OPENOCD}" -f "${CONFIGURATION}" -c "flash_image {${IMAGE}}" COMMAND_ERROR_IS_FATAL ANY)
