# What is installed beside the program, and a Debian package of it all: cpack -G DEB.
include(GNUInstallDirs)
set(package_dir ${CMAKE_BINARY_DIR}/package)

# The program prints its manual page and its completions itself.
add_custom_command(
    OUTPUT ${package_dir}/sheaf.1 ${package_dir}/completion
    COMMAND $<TARGET_FILE:sheaf> man > ${package_dir}/sheaf.1
    COMMAND $<TARGET_FILE:sheaf> completion bash > ${package_dir}/completion
    DEPENDS sheaf VERBATIM)
add_custom_target(manual ALL DEPENDS ${package_dir}/sheaf.1 ${package_dir}/completion)
file(MAKE_DIRECTORY ${package_dir})

# The unit names the program where it is installed, which is known then.
install(CODE "
    file(READ \"${CMAKE_SOURCE_DIR}/packaging/sheaf.service.in\" unit)
    string(REPLACE \"{prefix}\" \"\${CMAKE_INSTALL_PREFIX}\" unit \"\${unit}\")
    file(WRITE \"${package_dir}/sheaf.service\" \"\${unit}\")")
install(FILES ${package_dir}/sheaf.service DESTINATION lib/systemd/system)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/sheaf.sysusers DESTINATION lib/sysusers.d RENAME sheaf.conf)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/sheaf.tmpfiles DESTINATION lib/tmpfiles.d RENAME sheaf.conf)
install(FILES ${package_dir}/completion DESTINATION share/bash-completion/completions RENAME sheaf)
install(CODE "
    file(ARCHIVE_CREATE OUTPUT \"${package_dir}/sheaf.1.gz\" PATHS \"${package_dir}/sheaf.1\"
        FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)")
install(FILES ${package_dir}/sheaf.1.gz DESTINATION share/man/man1)
install(FILES ${CMAKE_SOURCE_DIR}/packaging/debian/copyright DESTINATION share/doc/sheaf)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sheaf)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Sheaf maintainers <maintainers@sheaf.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "virtual machines, their disks and their networks in one program")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Sheaf runs virtual machines on the kernel's KVM, keeps their disks as thin,
checked and replicated volumes, connects their networks, and serves an API of
the shape of Kubernetes, so that kubectl works with it as it is.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Of OpenSSL nothing is linked: it is loaded by who speaks TLS (docs/decisions/0012-openssl.md).
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libssl3")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "curl, iproute2")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "kubernetes-client")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/postinst
    ${CMAKE_SOURCE_DIR}/packaging/debian/prerm ${CMAKE_SOURCE_DIR}/packaging/debian/postrm)
include(CPack)
