// The way of every probe from the PVH entry (32-bit, paging off, ebx = start_info) to C++ in ring 3.
//
// Ring 0 may be emulated at a few million instructions per second while ring 3 runs natively, so
// everything that can be static (page tables, GDT, IDT) is static, and ring 0 is left after some
// thirty instructions. sysexitq is tried first: it works on Intel hardware and under software KVM.
// AMD hardware answers #UD in long mode; then the gate below leaves by iretq.

.section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, 18                      // XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long start32

.section .text.start, "ax"
.code32
.globl start32
start32:
    lgdt gdt_pointer
    mov $boot_stack_end, %esp
enter_long_mode:                        // esp = stack; ebx = start_info, or zero on an AP
    mov $level4, %eax
    mov %eax, %cr3
    mov $0x20, %eax                     // CR4.PAE
    mov %eax, %cr4
    mov $0xc0000080, %ecx               // EFER
    mov $0x100, %eax                    // LME
    xor %edx, %edx
    wrmsr
    mov $0x80000011, %eax               // PG, ET, PE
    mov %eax, %cr0
    ljmp $0x10, $long_mode

.code64
long_mode:
    lidt idt_pointer
    mov $0x174, %ecx                    // SYSENTER_CS: sysexitq takes CS = +32, SS = +40
    mov $0x10, %eax
    xor %edx, %edx
    wrmsr
    test %ebx, %ebx
    jz 1f
    mov $0x40, %eax
    ltr %ax
    mov $0x4b564d01, %ecx               // KVM_SYSTEM_TIME_NEW: the hypervisor tells the TSC's scale
    mov $kvm_clock_page + 1, %eax
    wrmsr
1:  pushq $0x3002                       // IOPL 3, interrupts off
    popfq
    mov $setup_interrupts, %eax         // weak: only probes that take interrupts have it
    test %eax, %eax
    jnz setup_interrupts
.globl leave_ring0
leave_ring0:
    mov $ring3, %edx
    mov %esp, %ecx
    sysexitq

.globl invalid_opcode
invalid_opcode:                         // sysexitq does not exist here: do what it would have done
    mov %rdx, (%rsp)
    movq $0x33, 8(%rsp)
    orq $0x3000, 16(%rsp)
    mov %rcx, 24(%rsp)
    movq $0x3b, 32(%rsp)
    iretq

ring3:
    xor %ebp, %ebp
    test %ebx, %ebx
    jz 1f
    mov %ebx, %edi
    call probe_entry
1:  call application_processor_entry
2:  jmp 2b

.weak setup_interrupts
.weak application_processor_entry

// Copied to one page below 1 MiB and started there by SIPI, in real mode with CS = that page.
.code16
.globl trampoline_begin, trampoline_end
trampoline_begin:
    cli
    mov %cs, %ax
    mov %ax, %ds
    lgdtl trampoline_gdt - trampoline_begin
    mov $0x11, %eax
    mov %eax, %cr0
    ljmpl $0x08, $application_processor32
trampoline_gdt:
    .word gdt_end - gdt - 1
    .long gdt
trampoline_end:

.code32
application_processor32:
    mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $16384, %eax                    // each AP takes the next stack
    lock xadd %eax, next_stack
    mov %eax, %esp
    xor %ebx, %ebx
    jmp enter_long_mode

.section .data.tables, "aw"
    .balign 4096
level4:                                 // entries: present, writable, user, accessed (dirty, large)
    .quad level3 + 0x27
    .fill 511, 8, 0
// The first 5 GiB in 2 MiB pages, which every processor has, up to 512 GiB in pages of 1 GiB.
level3:
    .quad level2 + 0x0027, level2 + 0x1027, level2 + 0x2027, level2 + 0x3027, level2 + 0x4027
    .set page, 5 << 30
    .rept 507
    .quad page + 0xe7
    .set page, page + (1 << 30)
    .endr
level2:
    .set page, 0
    .rept 2560
    .quad page + 0xe7
    .set page, page + (2 << 20)
    .endr

.globl gdt
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff            // 0x08 ring 0 code, 32-bit
    .quad 0x00af9b000000ffff            // 0x10 ring 0 code, 64-bit (SYSENTER_CS)
    .quad 0x00cf93000000ffff            // 0x18 ring 0 data
    .quad 0, 0                          // 0x20, 0x28: what a 32-bit sysexit would use
    .quad 0x00affb000000ffff            // 0x30 ring 3 code, 64-bit
    .quad 0x00cff3000000ffff            // 0x38 ring 3 data
    .word 0x2068, task_state_low        // 0x40 task state
    .byte task_state_middle, 0x89, 0, 0
    .quad 0
gdt_end:
gdt_pointer:
    .word gdt_end - gdt - 1
    .quad gdt

    .balign 8
.globl idt
idt:
    .fill 12, 8, 0
    .word invalid_opcode_low, 0x10, 0x8e00, invalid_opcode_middle
    .quad 0
    .fill 114, 8, 0
idt_end:
idt_pointer:
    .word idt_end - idt - 1
    .quad idt
.globl next_stack                       // the top of the stack for the next AP: set before SIPI
next_stack:
    .long 0

.section .bss
    .balign 4096
.globl kvm_clock_page
kvm_clock_page:
    .skip 4096
.globl task_state
// Software KVM looks at the I/O permission bitmap whatever IOPL says. With an offset of zero the
// bitmap begins at the task state itself, and all zero allows every port.
task_state:
    .skip 0x2069
    .balign 4096
    .skip 32768
boot_stack_end:
