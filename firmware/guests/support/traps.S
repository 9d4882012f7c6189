// For probes that trap themselves: INT3 counts in `trap_count`, keeps where it returns to in
// `trap_return`, and returns.

.section .text.start, "ax"
.code64
.globl setup_interrupts
setup_interrupts:
    movl $trap_stack_end, task_state + 4
    movw $104, task_state + 102         // the bitmap now begins behind the stack pointers
    mov $trap, %eax
    mov %ax, idt + 3 * 16
    movw $0xee00, idt + 3 * 16 + 4      // ring 3 may
    shr $16, %eax
    mov %ax, idt + 3 * 16 + 6
    movw $0x10, idt + 3 * 16 + 2
    jmp leave_ring0

trap:                                   // frame: rip, cs, rflags, rsp, ss
    push %rax
    mov 8(%rsp), %rax
    mov %rax, trap_return
    incl trap_count
    pop %rax
    iretq

.section .data.tables, "aw"
.globl trap_count, trap_return
    .balign 8
trap_return:
    .quad 0
trap_count:
    .long 0

.section .bss
    .balign 16
    .skip 4096
trap_stack_end:
