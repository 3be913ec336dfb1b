# dunlin_mps2_board(machine): the board of this folder, an Arm MPS2, as QEMU's `machine` emulates it.
function(dunlin_mps2_board machine)
    set(mps2 "${PROJECT_SOURCE_DIR}/boards/mps2")
    dunlin_cortex_m_board(
        SOURCES ${mps2}/clock.cpp ${mps2}/entropy.cpp ${mps2}/lan9118.cpp ${mps2}/nor_model.cpp ${mps2}/uart.cpp
        MEMORY ${mps2}/memory.ld
        OPENOCD ${mps2}/openocd.cfg
        QEMU -M ${machine}
        QEMU_STORAGE -machine memory-backend=storage -object memory-backend-file,id=storage,size=16M,share=on,mem-path=@FILE@
        SELF_TEST strict=yes)
endfunction()
