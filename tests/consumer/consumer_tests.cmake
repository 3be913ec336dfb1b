# The three ways into a consumer's build, each tried from outside the tree: add_subdirectory, FetchContent from a local
# clone, find_package after install.
set(consumer_source "${CMAKE_CURRENT_LIST_DIR}")
set(consumer_builds "${CMAKE_CURRENT_BINARY_DIR}/consumer")
set(consumer_clone "${consumer_builds}/clone")
set(consumer_prefix "${consumer_builds}/prefix")

function(dunlin_add_consumer_test from)
    add_test(NAME consumer.builds_from_${from}
        COMMAND "${CMAKE_CTEST_COMMAND}" --build-and-test "${consumer_source}" "${consumer_builds}/${from}"
            --build-generator "${CMAKE_GENERATOR}" --build-makeprogram "${CMAKE_MAKE_PROGRAM}" --build-target consumer
            --build-options "-DDUNLIN_FROM=${from}" "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}"
                "-DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}" ${ARGN}
            --test-command "${consumer_builds}/${from}/consumer")
    set_tests_properties(consumer.builds_from_${from} PROPERTIES TIMEOUT 1200)
endfunction()

dunlin_add_consumer_test(subdirectory "-DDUNLIN_SOURCE=${PROJECT_SOURCE_DIR}")

find_package(Git REQUIRED)
add_test(NAME consumer.clone
    COMMAND "${CMAKE_COMMAND}" "-DGIT=${GIT_EXECUTABLE}" "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DCLONE=${consumer_clone}"
        -P "${CMAKE_CURRENT_LIST_DIR}/clone.cmake")
set_tests_properties(consumer.clone PROPERTIES FIXTURES_SETUP consumer_clone)
dunlin_add_consumer_test(fetch "-DDUNLIN_SOURCE=${consumer_clone}")
set_tests_properties(consumer.builds_from_fetch PROPERTIES FIXTURES_REQUIRED consumer_clone)

add_test(NAME consumer.install COMMAND "${CMAKE_COMMAND}" --install "${PROJECT_BINARY_DIR}" --prefix "${consumer_prefix}")
set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP consumer_prefix)
dunlin_add_consumer_test(package "-DCMAKE_PREFIX_PATH=${consumer_prefix}")
set_tests_properties(consumer.builds_from_package PROPERTIES FIXTURES_REQUIRED consumer_prefix)
