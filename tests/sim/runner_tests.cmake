# What the simulator's program runs in ./run test: the hashes of a few runs in every build, and where whole programs are tested
# all scenarios and some hundreds of seeds, a smaller set of what ./run soak does for as long as one likes.
add_test(NAME sim.the_same_seed_gives_the_same_run_in_every_build
    COMMAND "${CMAKE_COMMAND}" "-DRUNNER=$<TARGET_FILE:dunlin_sim_runner>" -P "${CMAKE_CURRENT_LIST_DIR}/check_run_hashes.cmake")
set_tests_properties(sim.the_same_seed_gives_the_same_run_in_every_build PROPERTIES TIMEOUT 300)

if(NOT DUNLIN_SYSTEM_TESTS)
    return()
endif()

function(dunlin_campaign_test name)
    add_test(NAME sim.${name} COMMAND dunlin_sim_runner ${ARGN})
    set_tests_properties(sim.${name} PROPERTIES TIMEOUT 600)
endfunction()
dunlin_campaign_test(a_hundred_seeds_lose_nothing_at_20_percent_loss_and_leader_crashes --seeds 1..100 --seconds 60 --loss 0.2 --crash-leader)
dunlin_campaign_test(a_hundred_seeds_hold_under_all_faults_and_hit_every_mark --seeds 1..100 --nodes 5 --minutes 2 --faults all)
dunlin_campaign_test(a_hundred_seeds_of_every_fault_at_3_nodes --seeds 1..100 --nodes 3 --seconds 30 --faults all)
dunlin_campaign_test(a_hundred_seeds_of_every_fault_at_9_nodes --seeds 1..100 --nodes 9 --seconds 30 --faults all)

add_test(NAME sim.worlds_that_failed_once_hold
    COMMAND "${CMAKE_COMMAND}" "-DRUNNER=$<TARGET_FILE:dunlin_sim_runner>" -P "${CMAKE_CURRENT_LIST_DIR}/check_seeds.cmake")
set_tests_properties(sim.worlds_that_failed_once_hold PROPERTIES TIMEOUT 300)

file(GLOB scenarios CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/scenarios/*.txt")
foreach(scenario IN LISTS scenarios)
    cmake_path(GET scenario STEM name)
    add_test(NAME scenario.${name} COMMAND dunlin_sim_runner --scenario ${scenario})
    set_tests_properties(scenario.${name} PROPERTIES TIMEOUT 60)
endforeach()
