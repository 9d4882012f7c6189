# Language level, warnings and sanitizers, gathered in one interface target that only Sheaf's own
# targets link: guest payloads under firmware/ are built without any of it.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
    # Relative to the source tree, so that one checkout profits from what another has compiled. What was
    # included is read off the compiler's own list: a source that is new is not preprocessed for it, which
    # is a tenth of the time of a build from nothing.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true CCACHE_DEPEND=true
        CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

add_library(sheaf_options INTERFACE)
target_compile_options(sheaf_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
    -Woverloaded-virtual -Wimplicit-fallthrough -Wthread-safety -Wno-gnu-statement-expression
    -Wno-sign-conversion -Wno-missing-designated-field-initializers
    -fstack-protector-strong -fcf-protection -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
    $<$<BOOL:${SHEAF_WERROR}>:-Werror>)
target_compile_definitions(sheaf_options INTERFACE _GLIBCXX_ASSERTIONS _GNU_SOURCE
    SHEAF_VERSION="${PROJECT_VERSION}")
target_include_directories(sheaf_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
# Relative relocations in their packed form are a tenth of what the loader has to read at each start.
target_link_options(sheaf_options INTERFACE -fuse-ld=lld-19 -static-libstdc++ -static-libgcc
    -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,pack-relative-relocs)
if(SHEAF_SANITIZE)
    target_compile_options(sheaf_options INTERFACE -fsanitize=${SHEAF_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    target_link_options(sheaf_options INTERFACE -fsanitize=${SHEAF_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(sheaf_options INTERFACE -ffunction-sections -fdata-sections)
    target_compile_definitions(sheaf_options INTERFACE _FORTIFY_SOURCE=3)
endif()
