# Headers that flatc makes from schemas. They live in the build tree only.

find_program(DUNLIN_FLATC flatc DOC "FlatBuffers' schema compiler, for the machine that builds")
if(NOT DUNLIN_FLATC)
    message(FATAL_ERROR "Dunlin needs flatc (package flatbuffers-compiler); set DUNLIN_FLATC to its path.")
endif()

# Makes every generated header and nothing else: what a tool needs that reads sources without building them.
add_custom_target(dunlin_schemas)

# dunlin_schema_header(target PUBLIC|PRIVATE schema folder): makes <folder>/<schema>_generated.h and puts it on the include
# path of `target` as a system header (generated code is not held to our warnings).
function(dunlin_schema_header target visibility schema folder)
    cmake_path(GET schema STEM name)
    set(root "${CMAKE_CURRENT_BINARY_DIR}/generated")
    set(header "${root}/${folder}/${name}_generated.h")
    set(source "${CMAKE_CURRENT_SOURCE_DIR}/${schema}")
    add_custom_command(
        OUTPUT "${header}"
        COMMAND "${DUNLIN_FLATC}" --cpp --scoped-enums --cpp-std c++17 -o "${root}/${folder}" "${source}"
        DEPENDS "${source}"
        COMMENT "flatc ${name}.fbs"
        VERBATIM)
    target_sources(${target} PRIVATE "${header}")
    add_custom_target(${target}_schemas DEPENDS "${header}")
    add_dependencies(dunlin_schemas ${target}_schemas)
    target_include_directories(${target} SYSTEM ${visibility} "$<BUILD_INTERFACE:${root}>")
    set_target_properties(${target} PROPERTIES DUNLIN_GENERATED_ROOT "${root}")   # what the install rules copy
endfunction()
