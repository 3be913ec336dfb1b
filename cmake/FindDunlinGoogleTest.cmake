# GoogleTest as GTest::gmock and GTest::gtest_main: the system's library, or, for another machine than this, built from its sources.
# DUNLIN_GOOGLETEST_ROOT names a tree of these (a folder with googletest/ and googlemock/ in it), and has them used natively too.
set(DUNLIN_GOOGLETEST_ROOT "" CACHE PATH "GoogleTest's sources; empty: the system's library, or package googletest for another machine")

if(NOT CMAKE_CROSSCOMPILING AND NOT DUNLIN_GOOGLETEST_ROOT)
    find_package(GTest)
    set(DunlinGoogleTest_FOUND "${GTest_FOUND}")
    return()
endif()

find_path(DUNLIN_GOOGLETEST_SOURCES googletest/src/gtest-all.cc
    HINTS "${DUNLIN_GOOGLETEST_ROOT}" PATHS /usr/src/googletest NO_CMAKE_FIND_ROOT_PATH NO_DEFAULT_PATH)
mark_as_advanced(DUNLIN_GOOGLETEST_SOURCES)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DunlinGoogleTest
    REQUIRED_VARS DUNLIN_GOOGLETEST_SOURCES
    REASON_FAILURE_MESSAGE "install googletest or set DUNLIN_GOOGLETEST_ROOT")
if(NOT DunlinGoogleTest_FOUND OR TARGET dunlin_googletest)
    return()
endif()

add_library(dunlin_googletest STATIC EXCLUDE_FROM_ALL
    "${DUNLIN_GOOGLETEST_SOURCES}/googletest/src/gtest-all.cc"
    "${DUNLIN_GOOGLETEST_SOURCES}/googlemock/src/gmock-all.cc"
    "${DUNLIN_GOOGLETEST_SOURCES}/googletest/src/gtest_main.cc")
set_target_properties(dunlin_googletest PROPERTIES CXX_STANDARD 20 CXX_EXTENSIONS OFF)
foreach(part IN ITEMS googletest googlemock)
    target_include_directories(dunlin_googletest
        PRIVATE "${DUNLIN_GOOGLETEST_SOURCES}/${part}"
        SYSTEM INTERFACE "${DUNLIN_GOOGLETEST_SOURCES}/${part}/include")
    target_include_directories(dunlin_googletest PRIVATE "${DUNLIN_GOOGLETEST_SOURCES}/${part}/include")
endforeach()
if(DUNLIN_HOSTED)
    find_package(Threads REQUIRED)
    target_link_libraries(dunlin_googletest PUBLIC Threads::Threads)
else()
    # newlib: nothing that asks for processes, threads or folders.
    target_compile_definitions(dunlin_googletest
        PUBLIC _GNU_SOURCE GTEST_HAS_DEATH_TEST=0 GTEST_HAS_POSIX_RE=0 GTEST_HAS_PTHREAD=0 GTEST_HAS_STREAM_REDIRECTION=0
        PRIVATE PATH_MAX=256)
endif()
foreach(name IN ITEMS gmock gtest gtest_main)
    add_library(GTest::${name} ALIAS dunlin_googletest)
endforeach()
