// For probes that take an interrupt: vector 0x31 counts in `interrupt_count` and returns.
//
// The handler runs in ring 0 and returns by sysexitq, which destroys rcx, rdx and the flags, so they
// travel over the user's stack.

.section .text.start, "ax"
.code64
.globl setup_interrupts
setup_interrupts:
    movl $interrupt_stack_end, task_state + 4
    movw $104, task_state + 102         // the bitmap now begins behind the stack pointers
    mov $interrupt, %eax
    mov %ax, idt + 0x31 * 16
    movw $0x8e00, idt + 0x31 * 16 + 4
    shr $16, %eax
    mov %ax, idt + 0x31 * 16 + 6
    movw $0x10, idt + 0x31 * 16 + 2
    mov $0xff, %al                      // no timer of a firmware that ran before
    out %al, $0x21
    out %al, $0xa1
    pushq $0x3202                       // IOPL 3, interrupts on
    popfq
    jmp leave_ring0

interrupt:                              // frame: rip, cs, rflags, rsp, ss
    push %rdi
    incl interrupt_count
    mov $0xfee000b0, %edi               // end of interrupt
    movl $0, (%rdi)
    mov 32(%rsp), %rdi
    sub $32, %rdi
    mov %rcx, (%rdi)
    mov %rdx, 8(%rdi)
    mov 24(%rsp), %rcx
    mov %rcx, 16(%rdi)
    mov 8(%rsp), %rcx
    mov %rcx, 24(%rdi)
    mov %rdi, %rcx
    mov $resume, %edx
    pop %rdi
    sti
    sysexitq
resume:
    pop %rcx
    pop %rdx
    popfq
    ret

.section .data.tables, "aw"
.globl interrupt_count
    .balign 4
interrupt_count:
    .long 0

.section .bss
    .balign 16
    .skip 4096
interrupt_stack_end:
