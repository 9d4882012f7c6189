# sheaf_library(NAME DEPENDENCY...): the folder is one static library made of its own sources.
function(sheaf_library name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS *.h)
    if(NOT sources AND NOT headers)
        # A folder that has no code yet still passes its dependencies on.
        add_library(sheaf_${name} INTERFACE)
        target_link_libraries(sheaf_${name} INTERFACE sheaf_options ${ARGN})
        return()
    endif()
    add_library(sheaf_${name} STATIC ${sources} ${headers})
    set_target_properties(sheaf_${name} PROPERTIES LINKER_LANGUAGE CXX)
    target_link_libraries(sheaf_${name} PUBLIC sheaf_options ${ARGN})
    if(SHEAF_PRECOMPILE)
        sheaf_precompile(sheaf_${name})
    endif()
endfunction()

# sheaf_unit_tests(NAME LIBRARY...): all *_test.cpp of the folder in one program, one ctest entry. A
# folder below it that has a CMakeLists.txt is a program of its own.
function(sheaf_unit_tests name)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS *_test.cpp)
    file(GLOB own CONFIGURE_DEPENDS */CMakeLists.txt)
    foreach(list IN LISTS own)
        get_filename_component(folder ${list} DIRECTORY)
        list(FILTER sources EXCLUDE REGEX "^${folder}/")
    endforeach()
    add_executable(${name}_test ${sources})
    target_link_libraries(${name}_test PRIVATE ${ARGN} sheaf_test_support GTest::gtest GTest::gtest_main)
    if(SHEAF_PRECOMPILE OR SHEAF_GATE)
        sheaf_precompile(${name}_test <gtest/gtest.h>)
        # What is tested has the shipped flags; the tests themselves only have to be built soon.
        target_compile_options(${name}_test PRIVATE -O1)
    endif()
    add_test(NAME unit.${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# sheaf_fuzz_target(NAME LIBRARY...): one libFuzzer program NAME_fuzz from NAME_fuzz.cpp; its ctest
# entry fuzz.NAME replays tests/fuzz/corpus/NAME and searches for a few seconds.
function(sheaf_fuzz_target name)
    if(NOT SHEAF_FUZZ)
        return()
    endif()
    add_executable(${name}_fuzz ${name}_fuzz.cpp)
    target_link_libraries(${name}_fuzz PRIVATE ${ARGN} sheaf_test_support)
    target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name}
        COMMAND ${CMAKE_SOURCE_DIR}/tests/fuzz/smoke $<TARGET_FILE:${name}_fuzz>)
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
