#pragma once

// Why: machines and their instances are reconciled together, over a host whose machines outlive the
// process that started them.

#include "control/instance_reconciler.h"
#include "control/machine_reconciler.h"
#include "unit/control/world.h"

namespace sheaf::control {

using namespace std::chrono_literals;

// Whatever a process does to a machine may be the last thing it does.
class FakeHost final : public node::MachineHost {
  public:
    struct State {
        std::map<std::string, node::SupervisedMachine> machines;
        std::map<std::string, int> started;  // how often, by uid
        std::map<std::string, node::MachineFile> files;
        std::vector<std::chrono::seconds> graces;
        std::set<std::string> taps;
        std::optional<Error> refuses;
        node::MachineState first = node::MachineState::running;  // that one is in once started
        std::vector<std::string> order;                          // names, as they were started
    };
    FakeHost(State& state, Lifetime& life) : state_(state), life_(life) {}

    const node::SupervisedMachine* find(const std::string& uid) const override {
        const auto found = state_.machines.find(uid);
        return found == state_.machines.end() ? nullptr : &found->second;
    }
    std::vector<const node::SupervisedMachine*> all() const override {
        std::vector<const node::SupervisedMachine*> found;
        for (const auto& [uid, machine] : state_.machines) found.push_back(&machine);
        return found;
    }
    std::string path_of_disk(const std::string& uid, const std::string& name) const override {
        return "/machines/" + uid + "/" + name;
    }
    io::Task<void> start(node::MachinePlan plan) override {
        const auto fate = co_await effect();
        if (state_.refuses) co_await Failure{*state_.refuses};
        const auto uid = plan.file.uid;
        if (state_.machines.contains(uid)) co_await fail(Kind::exists, "it is there");
        auto& machine = state_.machines[uid];
        machine.uid = uid;
        machine.name = plan.file.name;
        machine.status = node::KeeperStatus{.state = state_.first};
        state_.order.push_back(machine.name);
        ++state_.started[uid];
        state_.files[uid] = std::move(plan.file);
        co_await heard(fate);
    }
    io::Task<void> press_power_button(std::string uid, std::chrono::seconds grace) override {
        const auto fate = co_await effect();
        state_.graces.push_back(grace);
        end(uid, "powered_off");
        co_await heard(fate);
    }
    io::Task<void> force_off(std::string uid) override {
        const auto fate = co_await effect();
        end(uid, "forced_off");
        co_await heard(fate);
    }
    io::Task<void> remove(std::string uid) override {
        const auto fate = co_await effect();
        EXPECT_TRUE(!state_.machines.contains(uid) || state_.machines[uid].report);
        state_.machines.erase(uid);
        co_await heard(fate);
    }

    void end(const std::string& uid, const char* how) {
        auto& machine = state_.machines.at(uid);
        machine.status.reset();
        machine.report.emplace();
        machine.report->how = how;
        if (changed) changed(machine.name);
    }
    std::function<void(const std::string&)> changed;

  private:
    io::Task<Lifetime::Fate> effect() {
        const auto fate = life_.next();
        if (!fate.happens) co_await fail(Kind::unavailable, "the process is dead");
        co_return fate;
    }
    io::Task<void> heard(Lifetime::Fate fate) {
        if (!fate.is_heard) co_await fail(Kind::unavailable, "the process died");
    }

    State& state_;
    Lifetime& life_;
};

// Links of which nobody is asked for more than that they come and go.
class FakeLinks final : public LinkService {
  public:
    FakeLinks(std::set<std::string>& taps, Lifetime& life) : taps_(taps), life_(life) {}
    io::Task<std::optional<net::Link>> find(std::string) override { co_return std::nullopt; }
    io::Task<void> provide_bridge(WantedBridge) override { co_return; }
    io::Task<void> remove_bridge(std::string, std::string) override { co_return; }
    io::Task<void> provide_tap(WantedTap wanted) override {
        if (!life_.next().happens) co_await fail(Kind::unavailable, "the process is dead");
        taps_.insert(wanted.name + " in " + wanted.bridge);
    }
    io::Task<void> remove_tap(std::string name, std::string) override {
        if (!life_.next().happens) co_await fail(Kind::unavailable, "the process is dead");
        std::erase_if(taps_, [&](const std::string& tap) { return tap.starts_with(name); });
    }

  private:
    std::set<std::string>& taps_;
    Lifetime& life_;
};

struct MachineProcess {
    // `number`: no two processes draw the same ids.
    MachineProcess(io::Loop& loop, kv::Kv& kv, const WallClock& clock, FakeHost::State& state,
                   int number, Lifetime life = {})
        : process(loop, kv, clock, life),
          host(state, process.life()),
          links(state.taps, process.life()),
          instances({process.client(), process.events(), host, links, {"/pool", "/kernels"}, "n"}),
          machines(process.client(), process.events(), host) {
        for (int drawn = 0; drawn < 1000 * number; ++drawn) process.random();
        process.add(instances);
        process.add(machines);
        host.changed = [this](const std::string& name) {
            process.manager().look_again(instances, {"default", name.substr(name.find('/') + 1)});
        };
    }
    Process process;
    FakeHost host;
    FakeLinks links;
    InstanceReconciler instances;
    MachineReconciler machines;
};

class MachinesWorld : public ControlWorld {
  protected:
    static constexpr auto spec = R"({"domain":{"memory":{"guest":"64Mi"},"devices":{}}})";

    void machine(const std::string& strategy, const std::string& inner = spec) {
        create(api::virtual_machine_kind,
               fmt::format(R"({{"metadata":{{"name":"m","namespace":"default"}},
                               "spec":{{"runStrategy":"{}","template":{{"spec":{}}}}}}})",
                           strategy, inner));
    }
    void pass(io::Duration time, Lifetime life = {}) {
        MachineProcess machines{*loop_, kv_, clock_, host_, ++processes_, life};
        // As of machines that are adopted.
        for (const auto& [uid, machine] : host_.machines) machines.host.changed(machine.name);
        get(machines.process.run_for(time));
        used_ = machines.process.life();
    }
    // The machine that runs ends while nobody looks.
    void end(const char* how) {
        Lifetime life;
        FakeHost{host_, life}.end(host_.machines.begin()->first, how);
    }
    std::string phase() {
        const auto object = read(api::virtual_machine_instance_kind, "m");
        return object ? std::string{object->text_at({"status", "phase"})} : "none";
    }
    std::string told() {
        const auto object = read(api::virtual_machine_kind, "m");
        return object ? std::string{object->text_at({"status", "printableStatus"})} : "none";
    }

    FakeHost::State host_;
    Lifetime used_;
    int processes_ = 0;
};

}  // namespace sheaf::control
