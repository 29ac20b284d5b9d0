package io.doorbell.frame.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.doorbell.DoorbellException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FlowMatchTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ethertype 0x88f7",
                "ethertype 0x0600",
                "ethertype 0xffff",
                "tcp any > any",
                "tcp 10.0.0.1:80 > any",
                "udp any > any:53",
                "udp any:0 > 255.255.255.255:65535",
                "sctp 0.0.0.0 > 1.2.3.4:5",
                "ip 10.0.0.1 > any",
                "ip any > 10.0.0.1",
                "ip/0 any > any",
                "ip/255 1.2.3.4 > any",
                "syn",
                "bytes 0=00",
                "bytes 12=88cc",
                "bytes 0=0180c200000e 12=88cc 65535=ff"
            })
    void printsAsItIsWritten(String text) {
        assertThat(FlowMatch.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @CsvSource({
        "EtherType 0x88F7, ethertype 0x88f7",
        "ethertype 0x800, ethertype 0x0800",
        "'  Tcp   10.0.0.1:80\t>  ANY ', tcp 10.0.0.1:80 > any",
        "ip/6 any > any:80, tcp any > any:80",
        "ip/17 any > any, udp any > any",
        "ip/132 any > any, sctp any > any",
        "' SYN', syn",
        "bytes 12=88CC 10=0102, bytes 10=010288cc",
        "bytes 13=cc 12=88, bytes 12=88cc"
    })
    void hasOneFormForEach(String text, String canonical) {
        assertThat(FlowMatch.parse(text)).hasToString(canonical).isEqualTo(FlowMatch.parse(canonical));
    }

    @ParameterizedTest
    @CsvSource({
        "'', neither a kind of match nor a protocol",
        "icmp any > any, 'icmp' is neither a kind",
        "ethertype, number in hexadecimal",
        "ethertype 88f7, number in hexadecimal",
        "ethertype 0x88f7 0x88f8, number in hexadecimal",
        "ethertype 0x10000, number in hexadecimal",
        "ethertype 0x-1, number in hexadecimal",
        "tcp, behind 'tcp' come a source",
        "tcp any, behind 'tcp' come a source",
        "tcp any any, behind 'tcp' come a source",
        "tcp any < any, behind 'tcp' come a source",
        "tcp any > any > any, behind 'tcp' come a source",
        "tcp any > any:, '' is no port",
        "tcp any > any:65536, '65536' is no port",
        "tcp any > any:-1, '-1' is no port",
        "tcp any > any:080, '080' is no port",
        "tcp any > any:99999999999, '99999999999' is no port",
        "tcp any > any:http, 'http' is no port",
        "tcp 10.0.0.256 > any, '10.0.0.256' is neither 'any' nor an address of IPv4",
        "tcp 10.0.0 > any, '10.0.0' is neither",
        "tcp 10.0.0.01 > any, '10.0.0.01' is neither",
        "tcp 0x0a.0.0.1 > any, is neither",
        "tcp ::1 > any, is neither",
        "tcp localhost > any, is neither",
        "tcp :80 > any, '' is neither",
        "ip/256 any > any, '256' is no protocol of IP",
        "ip/ any > any, '' is no protocol of IP",
        "syn syn, nothing comes behind",
        "bytes, no place and bytes",
        "bytes 12, '12' is no place",
        "bytes 12=, is no place",
        "bytes 12=8, is no place",
        "bytes 12=8g, is no place",
        "bytes =88, is no place",
        "bytes -1=88, '-1' is no place in a frame",
        "bytes 65536=88, '65536' is no place in a frame",
        "bytes 12=88cc 13=cc, byte 13 is there twice"
    })
    void saysWhatIsWrongAndHowToWriteIt(String text, String reason) {
        assertThatThrownBy(() -> FlowMatch.parse(text))
                .isInstanceOf(DoorbellException.class)
                .hasMessageStartingWith("'" + text + "' does not say which frames: ")
                .hasMessageContaining(reason)
                .hasMessageContaining("write 'ethertype 0x88f7'");
    }

    @ParameterizedTest
    @CsvSource({
        "ethertype 0x05ff, 0x05ff is no EtherType: they go from 0x0600 to 0xffff",
        "ip any > any, about all packets",
        "ip any > any:80, has a port",
        "ip/47 any:80 > any, has a port",
        "bytes 65535=8888, no frame has a byte 65536"
    })
    void refusesWhatMakesNoSense(String text, String reason) {
        assertThatThrownBy(() -> FlowMatch.parse(text))
                .isInstanceOf(DoorbellException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void refusesValuesOutOfRange() {
        assertThatThrownBy(() -> new EtherTypeMatch(0x10000)).hasMessageContaining("0x10000 is no EtherType");
        assertThatThrownBy(() -> FlowEndpoint.port(65536)).hasMessageContaining("65536 is no port");
        assertThatThrownBy(() -> FlowEndpoint.port(-1)).hasMessageContaining("-1 is no port");
        assertThatThrownBy(() -> new TupleMatch(OptionalInt.of(256), FlowEndpoint.ANY, FlowEndpoint.ANY))
                .hasMessageContaining("256 is no protocol of IP");
        assertThatThrownBy(() -> BytesMatch.at(0, 256)).hasMessageContaining("byte 0 of a frame is 0 to 255, not 256");
        assertThatThrownBy(() -> BytesMatch.at(-1, 0)).hasMessageContaining("no frame has a byte -1");
        assertThatThrownBy(() -> BytesMatch.at(12)).hasMessageContaining("names none");
    }

    @Test
    void saysWhatATupleCompares() {
        assertThat(tuple("tcp any > any").fields()).containsExactly(FlowField.PROTOCOL);
        assertThat(tuple("ip 1.2.3.4 > any").fields()).containsExactly(FlowField.SOURCE_ADDRESS);
        assertThat(tuple("ip any > 1.2.3.4").fields()).containsExactly(FlowField.DESTINATION_ADDRESS);
        assertThat(tuple("udp any > any:7").fields()).containsExactly(FlowField.PROTOCOL, FlowField.DESTINATION_PORT);
        assertThat(tuple("udp 1.2.3.4:5 > 1.2.3.4:5").fields()).containsExactly(FlowField.values());
    }

    private static TupleMatch tuple(String text) {
        return (TupleMatch) FlowMatch.parse(text);
    }

    @Test
    void isBuiltWithoutText() throws Exception {
        FlowEndpoint server = FlowEndpoint.parse("10.0.0.1:80");
        assertThat(server.address().map(address -> (int) address.getAddress()[3]))
                .isEqualTo(Optional.of(1));
        assertThat(server.port()).hasValue(80);
        assertThat(FlowEndpoint.parse(" ANY ")).isEqualTo(FlowEndpoint.ANY);
        assertThat(TupleMatch.tcp(server, FlowEndpoint.ANY)).isEqualTo(FlowMatch.parse("tcp 10.0.0.1:80 > any"));
        assertThat(TupleMatch.udp(FlowEndpoint.ANY, FlowEndpoint.port(53)))
                .isEqualTo(FlowMatch.parse("udp any > any:53"));
        assertThat(BytesMatch.at(12, 0x88, 0xcc).and(0, 1).and(12, 0x99))
                .isEqualTo(FlowMatch.parse("bytes 0=01 12=99cc"));
        assertThat(new SynMatch()).isEqualTo(FlowMatch.parse("syn"));
    }

    @Test
    void keepsItsBytes() {
        SortedMap<Integer, Integer> bytes = new TreeMap<>(Map.of(1, 2));
        BytesMatch match = new BytesMatch(bytes);
        bytes.put(2, 3);
        assertThat(match).hasToString("bytes 1=02");
        assertThat(match.reach()).isEqualTo(2);
        assertThatThrownBy(() -> match.bytes().put(1, 1)).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void knowsItsKind() {
        assertThat(FlowMatch.parse("ethertype 0x88f7").kind()).isEqualTo(FlowKind.ETHER_TYPE);
        assertThat(FlowMatch.parse("tcp any > any").kind()).isEqualTo(FlowKind.TUPLE);
        assertThat(FlowMatch.parse("syn").kind()).isEqualTo(FlowKind.SYN);
        assertThat(FlowMatch.parse("bytes 0=00").kind()).isEqualTo(FlowKind.BYTES);
    }
}
