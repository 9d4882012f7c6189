#pragma once

// Why: a console whose two ends are strings.

#include <string>

#include "base/bytes.h"
#include "devices/console/backend.h"

namespace sheaf::console {

class TestBackend final : public Backend {
  public:
    void write(std::span<const std::byte> bytes) override { printed += as_text(bytes); }
    std::size_t read(std::span<std::byte> bytes) override {
        const auto count = std::min(bytes.size(), typed.size());
        std::ranges::copy(as_bytes(typed).first(count), bytes.begin());
        typed.erase(0, count);
        return count;
    }
    void listen(Listener* listener) override { listener_ = listener; }

    void type(std::string_view text) {
        typed += text;
        if (listener_) listener_->input_available();
    }

    std::string printed;
    std::string typed;  // and not yet read

  private:
    Listener* listener_ = nullptr;
};

}  // namespace sheaf::console
