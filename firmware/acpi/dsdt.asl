// The machine as the guest's operating system finds it (ACPI 6.0, hardware-reduced).
#include "constants.asl"

DefinitionBlock ("dsdt.aml", "DSDT", 2, "SHEAF ", "SHEAFVMM", 1)
{
    // Soft off; the value goes into the sleep control register.
    Name (\_S5, Package (4) { SLEEP_TYPE_S5, 0, 0, 0 })

    Scope (\_SB)
    {
        // Linux believes the configuration window only if a motherboard resource reserves it.
        Device (MRES)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, ECAM_START, ECAM_SIZE)
            })
        }

        // The PCI Express host bridge. No _PRT: devices here have message-signalled interrupts only.
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_SEG, 0)
            Name (_BBN, 0)
            Name (_CCA, 1)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0, 0, LAST_BUS, 0, BUS_COUNT)
                IO (Decode16, PORT_PCI, PORT_PCI, 1, 8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0, 0x0cf7, 0, 0x0cf8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0, 0x0d00, 0xffff, 0, 0xf300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, MMIO_START, MMIO_LAST, 0, MMIO_SIZE)
            })

            // PCI Firmware Specification 3.3, 4.6.5: function 5 with 0 asks to keep the BARs as they are.
            Method (_DSM, 4, Serialized)
            {
                If (LEqual (Arg0, ToUUID ("e5c937d0-3553-4d7a-9117-ea4d19c3434d")))
                {
                    If (LEqual (ToInteger (Arg2), 0)) { Return (Buffer () { 0x21 }) }
                    If (LEqual (ToInteger (Arg2), 5)) { Return (0) }
                }
                Return (Buffer () { 0 })
            }

            // PCI Firmware Specification 3.3, 4.5.1: the operating system gets all it asks for.
            Method (_OSC, 4, NotSerialized)
            {
                CreateDWordField (Arg3, 0, CDW1)
                If (LNotEqual (Arg0, ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766")))
                {
                    Or (CDW1, 4, CDW1)
                }
                Return (Arg3)
            }
        }

        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PORT_COM1, PORT_COM1, 1, 8)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { IRQ_COM1 }
            })
        }

        // The clock has no interrupt: no alarms.
        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, PORT_CMOS, PORT_CMOS, 1, 2)
            })
        }

        // Virtual Machine Generation ID (Microsoft, 2018): where the identifier lies. It does not
        // change while the machine runs, so nothing is notified.
        Device (VGEN)
        {
            Name (_HID, "SHEF0001")
            Name (_CID, Package (2) { "VM_Gen_Counter", "VMGENCTR" })
            Name (_DDN, "VM_Gen_Counter")
            Name (_UID, 0)
            Name (ADDR, Package (2) { GENERATION_ID, 0 })
        }

        Device (PWRB)
        {
            Name (_HID, EisaId ("PNP0C0C"))
            Name (_UID, 0)
        }

        // Generic event device: one interrupt, and a port that tells what happened and forgets it.
        Device (GED)
        {
            Name (_HID, "ACPI0013")
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { IRQ_EVENTS }
            })
            OperationRegion (EVTS, SystemIO, PORT_EVENTS, 1)
            Field (EVTS, ByteAcc, NoLock, Preserve) { PEND, 8 }

            Method (_EVT, 1, Serialized)
            {
                Store (PEND, Local0)
                If (And (Local0, EVENT_POWER_BUTTON)) { Notify (\_SB.PWRB, 0x80) }
            }
        }
    }
}
