# cmake -DGIT=git -DSOURCE=dir -DCLONE=dir -P clone.cmake: a fresh local clone of what is committed.
file(REMOVE_RECURSE "${CLONE}")
execute_process(COMMAND "${GIT}" clone --quiet --no-hardlinks "${SOURCE}" "${CLONE}" COMMAND_ERROR_IS_FATAL ANY)
