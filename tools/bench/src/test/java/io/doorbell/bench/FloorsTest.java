package io.doorbell.bench;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.doorbell.bench.load.PacketSocketEnd;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The floors of the house: a module knows only floors below its own, and native access stays at the bottom. */
class FloorsTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(location -> !location.contains("/test-classes/"))
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("io.doorbell");

    @Test
    void eachModuleKnowsOnlyFloorsBelowItsOwn() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("io.doorbell..")
                .layer("dma")
                .definedBy("io.doorbell", "io.doorbell.dma..")
                .layer("pci")
                .definedBy("io.doorbell.pci..")
                .layer("frame")
                .definedBy("io.doorbell.frame..")
                .layer("qemu-test")
                .definedBy("io.doorbell.qemu..")
                .layer("driver-igb")
                .definedBy("io.doorbell.igb..")
                .layer("driver-virtio")
                .definedBy("io.doorbell.virtio..")
                .layer("tools")
                .definedBy("io.doorbell.tools..")
                .layer("bench")
                .definedBy("io.doorbell.bench..")
                .whereLayer("dma")
                .mayNotAccessAnyLayer()
                .whereLayer("pci")
                .mayOnlyAccessLayers("dma")
                .whereLayer("frame")
                .mayOnlyAccessLayers("dma")
                .whereLayer("qemu-test")
                .mayOnlyAccessLayers("pci", "dma")
                .whereLayer("driver-igb")
                .mayOnlyAccessLayers("frame", "pci", "dma")
                .whereLayer("driver-virtio")
                .mayOnlyAccessLayers("frame", "pci", "dma")
                .whereLayer("tools")
                .mayOnlyAccessLayers("qemu-test", "frame", "pci", "dma")
                .whereLayer("bench")
                .mayOnlyAccessLayers("tools", "driver-virtio", "qemu-test", "frame", "pci", "dma")
                .check(CLASSES);
    }

    /** What the compiler copies, constants that is, this cannot see. */
    @Test
    void packagesDoNotGoInCircles() {
        slices().matching("io.doorbell.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void nativeAccessStaysOnTheTwoLowestFloors() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.doorbell.dma..", "io.doorbell.pci..")
                .and()
                .doNotBelongToAnyOf(PacketSocketEnd.class) // what it measures is just that
                .should()
                .callMethod(MemorySegment.class, "reinterpret", long.class)
                .orShould()
                .callMethod(MemorySegment.class, "reinterpret", Arena.class, Consumer.class)
                .orShould()
                .callMethod(MemorySegment.class, "reinterpret", long.class, Arena.class, Consumer.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Linker.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(SymbolLookup.class)
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage("jnr.ffi..", "jnr.posix..", "com.kenai..", "sun.misc..")
                .check(CLASSES);
    }
}
