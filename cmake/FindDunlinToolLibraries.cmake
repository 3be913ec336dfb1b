# What the dunlin command is made with, all of it headers: dunlin::tomlplusplus_headers, CLI11::CLI11, nlohmann_json::nlohmann_json and
# spdlog::spdlog_header_only. Of the last three the system's own packages are used, but for another machine than this: these are for this one.
include("${CMAKE_CURRENT_LIST_DIR}/DunlinHeaders.cmake")
include(FindPackageHandleStandardArgs)

dunlin_find_headers(DUNLIN_TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h "")
if(CMAKE_CROSSCOMPILING)
    dunlin_find_headers(DUNLIN_CLI11_INCLUDE_DIR CLI/CLI.hpp "")
    dunlin_find_headers(DUNLIN_NLOHMANN_JSON_INCLUDE_DIR nlohmann/json.hpp "")
    dunlin_find_headers(DUNLIN_SPDLOG_INCLUDE_DIR spdlog/spdlog.h "")
    dunlin_find_headers(DUNLIN_FMT_INCLUDE_DIR fmt/format.h "")
    set(needed DUNLIN_CLI11_INCLUDE_DIR DUNLIN_NLOHMANN_JSON_INCLUDE_DIR DUNLIN_SPDLOG_INCLUDE_DIR DUNLIN_FMT_INCLUDE_DIR)
else()
    find_package(CLI11 REQUIRED)
    find_package(nlohmann_json REQUIRED)
    find_package(spdlog REQUIRED)
    set(needed "")
endif()

find_package_handle_standard_args(DunlinToolLibraries
    REQUIRED_VARS DUNLIN_TOMLPLUSPLUS_INCLUDE_DIR ${needed}
    REASON_FAILURE_MESSAGE "install libtomlplusplus-dev, libcli11-dev, nlohmann-json3-dev and libspdlog-dev")
unset(needed)
if(NOT DunlinToolLibraries_FOUND OR TARGET dunlin::tomlplusplus_headers)
    return()
endif()

dunlin_header_target(dunlin::tomlplusplus_headers "${DUNLIN_TOMLPLUSPLUS_INCLUDE_DIR}" toml++)
if(CMAKE_CROSSCOMPILING)
    dunlin_header_target(CLI11::CLI11 "${DUNLIN_CLI11_INCLUDE_DIR}" CLI)
    dunlin_header_target(nlohmann_json::nlohmann_json "${DUNLIN_NLOHMANN_JSON_INCLUDE_DIR}" nlohmann)
    dunlin_header_target(dunlin::fmt_headers "${DUNLIN_FMT_INCLUDE_DIR}" fmt)
    dunlin_header_target(spdlog::spdlog_header_only "${DUNLIN_SPDLOG_INCLUDE_DIR}" spdlog)
    set_target_properties(spdlog::spdlog_header_only PROPERTIES
        INTERFACE_COMPILE_DEFINITIONS "SPDLOG_FMT_EXTERNAL;FMT_HEADER_ONLY"
        INTERFACE_LINK_LIBRARIES dunlin::fmt_headers)
endif()
