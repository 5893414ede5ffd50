# cmake -DROOM=.../kernels -P room.cmake: nothing in this room includes a header of another, for the judged must not share a line
# with its judge.
file(GLOB_RECURSE files ${ROOM}/*.h ${ROOM}/*.cpp ${ROOM}/*.c)
set(seen 0)
foreach(file ${files})
  file(STRINGS ${file} includes REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"](reference|harness|suites|golden|ci)/|^[ \t]*#[ \t]*include[ \t]*\"\\.\\./\\.\\./")
  if(includes)
    message(FATAL_ERROR "${file}: ${includes}")
  endif()
  math(EXPR seen "${seen} + 1")
endforeach()
if(seen LESS 30)
  message(FATAL_ERROR "only ${seen} files seen below ${ROOM}")
endif()
