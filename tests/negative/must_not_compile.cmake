# cmake -DCOMPILE=<compiler;flags> -DSOURCE=x.cpp -P must_not_compile.cmake
#
# SOURCE begins with lines `// must not compile: SENTENCE`. It must compile as it stands, and with -DMUST_NOT_COMPILE it
# must fail with every SENTENCE in the compiler's messages: so it fails for those reasons.
file(STRINGS "${SOURCE}" sentences REGEX "^// must not compile: .+$")
if(NOT sentences)
    message(FATAL_ERROR "${SOURCE} has no line '// must not compile: SENTENCE'")
endif()

execute_process(COMMAND ${COMPILE} -fsyntax-only "${SOURCE}" RESULT_VARIABLE status ERROR_VARIABLE messages)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${SOURCE} must compile without MUST_NOT_COMPILE:\n${messages}")
endif()

execute_process(COMMAND ${COMPILE} -DMUST_NOT_COMPILE -fsyntax-only "${SOURCE}" RESULT_VARIABLE status ERROR_VARIABLE messages)
if(status EQUAL 0)
    message(FATAL_ERROR "${SOURCE} compiles with MUST_NOT_COMPILE")
endif()
foreach(sentence IN LISTS sentences)
    string(REPLACE "// must not compile: " "" sentence "${sentence}")
    string(FIND "${messages}" "${sentence}" position)
    if(position EQUAL -1)
        message(FATAL_ERROR "${SOURCE} is refused, but not because of '${sentence}':\n${messages}")
    endif()
endforeach()
