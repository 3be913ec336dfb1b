# `cmake --install` puts libraries, headers and the package files where find_package(dunlin) finds them.
include(CMakePackageConfigHelpers)

set(DUNLIN_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/dunlin")
set(libraries dunlin_runtime)
set(header_folders runtime/dunlin)
foreach(transport IN ITEMS dunlin_asio dunlin_sim)
    if(TARGET ${transport})
        list(APPEND libraries ${transport})
        list(APPEND header_folders transports/${transport})
    endif()
endforeach()
if(TARGET dunlin_lwip AND NOT DUNLIN_HOSTED)   # a host builds it for its tests alone
    list(APPEND libraries dunlin_lwip)
    list(APPEND header_folders transports/dunlin_lwip)
endif()

install(TARGETS ${libraries} EXPORT dunlin ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY ${header_folders} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp" PATTERN "*.fbs")
foreach(library IN LISTS libraries)
    get_target_property(generated ${library} DUNLIN_GENERATED_ROOT)
    if(generated)
        install(DIRECTORY "${generated}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
    endif()
endforeach()
if(TARGET dunlin)
    install(TARGETS dunlin RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

install(EXPORT dunlin NAMESPACE dunlin:: FILE dunlin-targets.cmake DESTINATION "${DUNLIN_CMAKE_DIR}")
configure_package_config_file(cmake/dunlin-config.cmake.in "${PROJECT_BINARY_DIR}/dunlin-config.cmake"
    INSTALL_DESTINATION "${DUNLIN_CMAKE_DIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/dunlin-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/dunlin-config.cmake"
    "${PROJECT_BINARY_DIR}/dunlin-config-version.cmake"
    cmake/DunlinHeaders.cmake
    cmake/FindDunlinFlatbuffers.cmake
    cmake/FindDunlinAsio.cmake
    DESTINATION "${DUNLIN_CMAKE_DIR}")
