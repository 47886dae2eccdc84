// An SMSC on npm's smpp server: another code base than ours. Prints one JSON line per event.
// The last digits of an address choose what happens to its messages; see tests/adapters/test_smpp_link.py.
const smpp = require(process.argv[2]);
const say = (event) => console.log(JSON.stringify(event));
let counter = 0xa1f300;
let throttled = 0;

const server = smpp.createServer((session) => {
  session.on('error', () => {});
  session.on('bind_transceiver', (pdu) => {
    if (pdu.password !== 'SECRETpw') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }));
      session.close();
      return;
    }
    session.send(pdu.response());
    say({ bound: pdu.system_id });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => {
    const to = pdu.destination_addr, end = to.slice(-4);
    say({
      to, from: pdu.source_addr, ton: pdu.source_addr_ton, coding: pdu.data_coding, esm: pdu.esm_class,
      registered: pdu.registered_delivery, text: pdu.short_message.message,
      udh: (pdu.short_message.udh || []).map((element) => Buffer.from(element).toString('hex')),
    });
    if (end === '0001') return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
    if (end === '0002' && throttled++ % 3 === 1) {
      return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    }
    if (end === '0004') return session.destroy();
    if (end === '0008') return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
    const id = ++counter, hex = id.toString(16).toUpperCase().padStart(10, '0');
    const receipt = (state, word, byTlv) => {
      const report = {
        source_addr: to, destination_addr: pdu.source_addr, esm_class: 0x04,
        short_message: `id:${id} sub:001 dlvrd:001 submit date:2611230800 done date:2611230805 ` +
          `stat:${word} err:${word === 'DELIVRD' ? '000' : '011'} text:id:9 stat:DELIVRD`,
      };
      if (byTlv) {
        report.short_message = 'no words';
        report.receipted_message_id = hex;
        report.message_state = state;
      }
      session.deliver_sm(report);
    };
    const respond = () => session.send(pdu.response({ message_id: hex }));
    if (end === '0003') { receipt(2, 'DELIVRD', false); return setTimeout(respond, 150); }
    respond();
    if (end === '0005') receipt(5, 'UNDELIV', false);
    else if (end === '0006') receipt(2, 'DELIVRD', true);
    else if (end !== '0007') receipt(2, 'DELIVRD', false);
    if (end === '0009') {
      session.deliver_sm({ source_addr: to, destination_addr: '9123', data_coding: 8,
        short_message: { message: Buffer.from('Từ chối', 'utf16le').swap16() } });
    }
  });
});
server.on('error', () => {});
server.listen(Number(process.argv[3] || 0), '127.0.0.1', () => say({ port: server.address().port }));
