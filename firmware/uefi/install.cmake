# Run by `cmake --install`; `uefi` is this folder. Beside the program's bin/ lies share/sheaf/uefi.fd
# (src/node/firmware.cpp), with the licence under which EDK II may be passed on.
set(firmware "$ENV{SHEAF_UEFI}")
if(NOT firmware)
    execute_process(COMMAND ${uefi}/build --cached OUTPUT_VARIABLE firmware
        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT firmware)
    message(STATUS "No UEFI firmware is installed, for none was built: firmware/uefi/build, then install again")
    return()
endif()
if(NOT EXISTS "${firmware}")
    message(FATAL_ERROR "SHEAF_UEFI names ${firmware}, which is not there")
endif()
set(place "${CMAKE_INSTALL_PREFIX}/share/sheaf")
# The file may be a link of the cache's.
file(REAL_PATH "${firmware}" firmware)
file(INSTALL "${firmware}" DESTINATION "${place}" RENAME uefi.fd)
cmake_path(REPLACE_FILENAME firmware License.txt OUTPUT_VARIABLE licence)
if(EXISTS "${licence}")
    file(INSTALL "${licence}" DESTINATION "${place}" RENAME uefi.license)
endif()
