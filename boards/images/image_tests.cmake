# The voter's journal is on the storage where the RAM has no room for it (voter_image.cpp). A start makes it anew. The self-test wants one, too.
foreach(whose IN ITEMS voter port)
    set(${whose}_storage "${CMAKE_CURRENT_BINARY_DIR}/${whose}.storage")
    add_test(NAME ${DUNLIN_BOARD}.a_storage_for_the_${whose}
        COMMAND Python3::Interpreter -c "open('${${whose}_storage}', 'wb').truncate(16 << 20)")
    set_tests_properties(${DUNLIN_BOARD}.a_storage_for_the_${whose} PROPERTIES FIXTURES_SETUP ${DUNLIN_BOARD}.${whose}_storage)
endforeach()
dunlin_image_test(a_lone_voter_leads_stores_and_holds_a_lease voter_image EXIT 0 STACK_MAX 6144 STORAGE "${voter_storage}")
dunlin_image_test(three_voters_elect_lease_and_exchange_messages cluster_image EXIT 0 STACK_MAX 6144)
dunlin_stack_test(voter_image 7168)
dunlin_stack_test(cluster_image 7168)

dunlin_image_test(a_fault_is_reported fault_image EXIT 71 SAYS "fault.at.pc.0x[0-9a-f]+,.lr.0x[0-9a-f]+,.CFSR.0x[0-9a-f]*[1-9a-f]")
dunlin_image_test(a_fault_in_the_report_of_a_fault_resets_the_board faulty_report_image EXIT 0 SAYS "the.board.has.begun.anew" TIMEOUT 20)
dunlin_image_test(a_stack_overflow_is_reported overflow_image EXIT 71 SAYS "the.stack.has.overflowed")
dunlin_image_test(a_failed_assertion_is_reported assertion_image EXIT 70 SAYS "assertion.failed.at.0x")
dunlin_image_test(an_image_runs_without_a_host voter_image EXIT 0 NO_HOST SAYS "one.voter:.led" STORAGE "${voter_storage}")
set_tests_properties(${DUNLIN_BOARD}.a_lone_voter_leads_stores_and_holds_a_lease ${DUNLIN_BOARD}.an_image_runs_without_a_host
    PROPERTIES FIXTURES_REQUIRED ${DUNLIN_BOARD}.voter_storage RESOURCE_LOCK ${voter_storage})
dunlin_image_test(too_many_arguments_are_refused voter_image EXIT 69 SAYS "more.than.16.words"
    ARGUMENTS a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8 i=9 j=10 k=11 l=12 m=13 n=14 o=15 p=16)

# QEMU's own small network answers for 10.0.2.2, and holds each frame back for up to 20 ms, so that it finds the board asleep.
set(network -netdev user,id=network -net nic,netdev=network -object filter-buffer,id=delay,netdev=network,interval=20000)
get_property(self_test GLOBAL PROPERTY DUNLIN_BOARD_SELF_TEST)
list(APPEND self_test host=busy)
dunlin_image_test(the_port_passes_the_self_test self_test EXIT 0
    ARGUMENTS ${self_test} own=10.0.2.15 peer=10.0.2.2 QEMU ${network} STORAGE "${port_storage}" SAYS "self-test:.passed")
dunlin_image_test(a_peer_that_is_not_there_fails_the_self_test self_test EXIT 1
    ARGUMENTS ${self_test} storage=none own=10.0.2.15 peer=10.9.0.9 QEMU ${network} SAYS "FAILED:.ethernet:.a.peer")
set_tests_properties(${DUNLIN_BOARD}.the_port_passes_the_self_test PROPERTIES FIXTURES_REQUIRED ${DUNLIN_BOARD}.port_storage)
# On the emulator's own time, of which a sleep takes none: 400 s are more than twice what 32 bits count at 25 MHz.
dunlin_image_test(the_clock_counts_through_400_seconds self_test EXIT 0
    ARGUMENTS host_clock=no storage=none sleep_s=400 QEMU -icount shift=6,sleep=off SAYS "a.long.sleep.ends")

if(TARGET bench_image)
    add_test(NAME ${DUNLIN_BOARD}.a_message_an_entry_and_a_lease_cost_what_the_table_says
        COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tests/boards/check_instructions.py"
            "${DUNLIN_BOARD}=$<TARGET_FILE:bench_image>")
endif()

# One storage through resets and deaths of the emulator, each test after the one before.
get_property(kept GLOBAL PROPERTY DUNLIN_BOARD_QEMU_STORAGE)
if(kept)
    set(file "${CMAKE_CURRENT_BINARY_DIR}/self_test.storage")
    add_test(NAME ${DUNLIN_BOARD}.a_new_storage COMMAND Python3::Interpreter -c "open('${file}', 'wb').truncate(16 << 20)")
    dunlin_image_test(a_journal_survives_a_reset self_test EXIT 0 STORAGE "${file}"
        ARGUMENTS ${self_test} keep=yes entropy=1f resets=1 SAYS "this.is.start.1.of.it.*this.is.start.2.of.it")
    dunlin_image_test(a_journal_survives_the_death_of_the_emulator self_test EXIT 0 STORAGE "${file}"
        ARGUMENTS ${self_test} keep=yes entropy=1f SAYS "this.is.start.3.of.it")
    dunlin_image_test(a_start_with_the_words_of_the_last_one_draws_anew self_test EXIT 0 STORAGE "${file}"
        ARGUMENTS ${self_test} keep=yes entropy=1f SAYS "this.is.start.4.of.it" "ok:.entropy:.this.start")
    dunlin_image_test(a_start_that_draws_as_the_last_one_is_found_out self_test EXIT 1 STORAGE "${file}"
        ARGUMENTS ${self_test} keep=yes drawn=b0a7d resets=5 SAYS "this.is.start.6.of.it.*FAILED:.entropy:.this.start")
    add_test(NAME ${DUNLIN_BOARD}.a_damaged_storage COMMAND Python3::Interpreter -c
        "b = bytearray(open('${file}', 'rb').read())\nfor s in slice(0, 200000, 7), slice(4 << 20, None, 7): b[s] = bytes(x ^ 4 if 0 < x < 255 else x for x in b[s])\nfor f in '${file}', '${file}.damaged': open(f, 'wb').write(b)")
    dunlin_image_test(a_damaged_journal_is_found_out_and_left_as_it_is self_test EXIT 1 STORAGE "${file}"
        ARGUMENTS ${self_test} SAYS "FAILED:.storage:.it.is.blank,.or")
    add_test(NAME ${DUNLIN_BOARD}.nothing_was_written_over_it COMMAND "${CMAKE_COMMAND}" -E compare_files "${file}" "${file}.damaged")
    dunlin_image_test(what_a_storage_holds_is_overwritten_where_that_is_asked_for self_test EXIT 0 STORAGE "${file}"
        ARGUMENTS ${self_test} erase=yes SAYS "this.is.start.1.of.it")
    dunlin_image_test(a_storage_is_left_blank self_test EXIT 0 STORAGE "${file}"
        ARGUMENTS ${self_test} SAYS "this.is.start.1.of.it")
    set(before a_new_storage)
    foreach(each IN ITEMS a_journal_survives_a_reset a_journal_survives_the_death_of_the_emulator
            a_start_with_the_words_of_the_last_one_draws_anew a_start_that_draws_as_the_last_one_is_found_out a_damaged_storage
            a_damaged_journal_is_found_out_and_left_as_it_is nothing_was_written_over_it what_a_storage_holds_is_overwritten_where_that_is_asked_for a_storage_is_left_blank)
        set_tests_properties(${DUNLIN_BOARD}.${each} PROPERTIES DEPENDS ${DUNLIN_BOARD}.${before} RESOURCE_LOCK ${file})
        set(before ${each})
    endforeach()
endif()

add_test(NAME ${DUNLIN_BOARD}.images_are_within_their_budgets
    COMMAND Python3::Interpreter -B "${PROJECT_SOURCE_DIR}/tests/boards/sizes.py" "${DUNLIN_BOARD}=${CMAKE_BINARY_DIR}")
