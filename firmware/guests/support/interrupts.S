// For probes that take an interrupt: vector 0x31 counts in `interrupt_count` and returns.
//
// A loaded task register brings a task state with an I/O permission bitmap that allows every port:
// software KVM then looks at the bitmap and not at IOPL. The handler runs in ring 0 and returns by
// sysexitq, which destroys rcx, rdx and the flags, so they travel over the user's stack.

.section .text.start, "ax"
.code64
.globl setup_interrupts
setup_interrupts:
    mov $task_state, %eax
    movw $task_state_end - task_state - 1, gdt_task
    mov %ax, gdt_task + 2
    shr $16, %eax
    mov %al, gdt_task + 4
    movb $0x89, gdt_task + 5            // present, available 64-bit TSS
    mov %ah, gdt_task + 7
    mov $interrupt, %eax
    mov %ax, idt + 0x31 * 16
    movw $0x8e00, idt + 0x31 * 16 + 4
    shr $16, %eax
    mov %ax, idt + 0x31 * 16 + 6
    movw $0x10, idt + 0x31 * 16 + 2
    mov $0x40, %eax
    ltr %ax
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
    .balign 16
task_state:
    .long 0
    .quad interrupt_stack_end
    .skip 90
    .word 104                           // offset of the I/O permission bitmap
    .skip 8192
    .byte 0xff
task_state_end:
.globl interrupt_count
    .balign 4
interrupt_count:
    .long 0

.section .bss
    .balign 16
    .skip 4096
interrupt_stack_end:
