/* The compiled DSDT, from sheaf_dsdt_begin to sheaf_dsdt_end. */
    .section .rodata
    .balign 16
    .global sheaf_dsdt_begin
    .hidden sheaf_dsdt_begin
sheaf_dsdt_begin:
    .incbin "dsdt.aml"
    .global sheaf_dsdt_end
    .hidden sheaf_dsdt_end
sheaf_dsdt_end:
    .section .note.GNU-stack, "", @progbits
