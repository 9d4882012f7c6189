#pragma once

// Why: the serial port that every PC kernel prints to first: a 16550A (National Semiconductor
// PC16550D data sheet) whose line is a console::Backend and infinitely fast. Its interrupt is an
// edge, raised when the first of its causes appears.

#include <array>
#include <mutex>

#include "devices/console/backend.h"
#include "vmm/bus.h"
#include "vmm/interrupts.h"

namespace sheaf::legacy {

// Registers are called on vCPU threads, input_available() on the loop's. One mutex guards the
// registers; it is held for a few instructions, and for the backend's copy of a byte.
class Uart16550 final : public vmm::BusHandler, public console::Listener {
  public:
    static constexpr std::uint64_t port_count = 8;

    // The line and the backend outlive the port. It becomes the backend's listener.
    Uart16550(vmm::InterruptLine& line, console::Backend& backend);
    ~Uart16550();

    std::string_view name() const override { return "uart16550"; }
    void read(std::uint64_t offset, std::span<std::byte> data) override;
    void write(std::uint64_t offset, std::span<const std::byte> data) override;
    void input_available() override;

  private:
    class Fifo {
      public:
        static constexpr std::size_t capacity = 16;
        std::size_t size() const { return size_; }
        void push(std::uint8_t value) {
            values_[(first_ + size_) % capacity] = value;
            ++size_;
        }
        std::uint8_t pop() {
            const auto value = values_[first_];
            first_ = (first_ + 1) % capacity;
            --size_;
            return value;
        }
        void clear() { size_ = 0; }

      private:
        std::array<std::uint8_t, capacity> values_{};
        std::size_t first_ = 0;
        std::size_t size_ = 0;
    };

    // Does work() with mutex_ held, then raises the interrupt if it has a cause now.
    template <class Work>
    void access(Work work);

    // The rest is called with mutex_ held.
    std::uint8_t read_register(std::uint64_t offset);
    void write_register(std::uint64_t offset, std::uint8_t value);
    std::uint8_t read_received();
    std::uint8_t read_interrupt_cause();
    std::uint8_t read_line_status();
    std::uint8_t modem_lines() const;
    std::uint8_t read_modem_status();
    void transmit(std::uint8_t value);
    void receive(std::uint8_t value);
    void set_interrupt_enable(std::uint8_t value);
    void set_fifo_control(std::uint8_t value);
    void set_modem_control(std::uint8_t value);
    std::uint8_t cause() const;
    void pull_input();

    vmm::InterruptLine& line_;
    console::Backend& backend_;
    std::mutex mutex_;
    Fifo received_;
    std::uint8_t interrupt_enable_ = 0;
    std::uint8_t line_control_ = 0;
    std::uint8_t modem_control_ = 0;
    std::uint8_t modem_changes_ = 0;
    std::uint8_t scratch_ = 0;
    std::uint8_t divisor_low_ = 1;  // 115200 baud
    std::uint8_t divisor_high_ = 0;
    bool fifo_enabled_ = false;
    bool overrun_ = false;
    bool transmitter_emptied_ = true;  // the cause THRE, until it is read or more is sent
    bool line_high_ = false;
};

}  // namespace sheaf::legacy
