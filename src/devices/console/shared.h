#pragma once

// Why: a guest may have a serial port and a virtio console, and one person sits at both. What
// either prints is shown; what is typed goes to the one that printed last.

#include <atomic>

#include "devices/console/backend.h"

namespace sheaf::console {

class Shared final : Listener {
  public:
    // The backend outlives this; both faces' users end first. Becomes the backend's listener.
    explicit Shared(Backend& backend) : backend_(backend) { backend_.listen(this); }
    ~Shared() { backend_.listen(nullptr); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    Backend& serial() { return serial_; }
    Backend& virtio() { return virtio_; }

  private:
    class Face final : public Backend {
      public:
        explicit Face(Shared& shared) : shared_(shared) {}
        void write(std::span<const std::byte> bytes) override;
        std::size_t read(std::span<std::byte> bytes) override;
        void listen(Listener* listener) override;

      private:
        friend class Shared;
        Shared& shared_;
        std::atomic<Listener*> listener_ = nullptr;
    };

    void input_available() override;

    Backend& backend_;
    Face serial_{*this};
    Face virtio_{*this};
    std::atomic<Face*> current_ = &serial_;
};

}  // namespace sheaf::console
